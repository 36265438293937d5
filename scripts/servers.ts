/**
 * Installs and starts the servers that the live tests use, without containers:
 *
 *     node scripts/servers.ts [NAMES...] [--install]
 *
 * Prints a line of JSON for each server that is ready, and runs until Ctrl-C, SIGTERM or SIGHUP, which stop the
 * servers and remove their data. Without names: all of them. `--install` only installs. The environment variable
 * `SLUICE_SERVERS_CACHE` names the folder where installed servers are kept; by default one in `~/.cache`.
 */
import { parseArgs } from "node:util";
import { isServerName, serverKinds, type ServerName, serverNames } from "./servers/catalog.ts";
import { installServer } from "./servers/install-server.ts";
import { RunningServer } from "./servers/running-server.ts";
import type { ServerKind } from "./servers/server-kind.ts";

function report(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}

function secondsSince(started: number): number {
  return Math.round(performance.now() - started) / 1000;
}

async function install(name: ServerName): Promise<object> {
  const kind: ServerKind = serverKinds[name];
  const started = performance.now();
  const folder = await installServer(kind, { report });
  return { name, version: kind.version, folder, installSeconds: secondsSince(started) };
}

async function start(name: ServerName, running: RunningServer[]): Promise<object> {
  const kind: ServerKind = serverKinds[name];
  const installing = performance.now();
  const installed = await installServer(kind, { report });
  const installSeconds = secondsSince(installing);
  const starting = performance.now();
  const server = await RunningServer.start(kind, installed);
  running.push(server);
  const { version, address, ports, processId, scratch } = server;
  const seconds = { installSeconds, startSeconds: secondsSince(starting) };
  return { name, version, address, ports, processId, scratch, ...seconds };
}

/** All at once; resolves to whether all went well. */
async function each(
  names: readonly ServerName[],
  what: (name: ServerName) => Promise<object>,
): Promise<boolean> {
  const ends = await Promise.allSettled(
    names.map(async (name) => console.log(JSON.stringify(await what(name)))),
  );
  const reasons = ends.filter((end) => end.status === "rejected").map(({ reason }) => reason);
  for (const reason of reasons) report(String(reason));
  return reasons.length === 0;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { install: { type: "boolean", default: false } },
  });
  const unknown = positionals.filter((name) => !isServerName(name));
  if (unknown.length > 0) {
    report(`There is no server \`${unknown.join("`, `")}\`. Known: ${serverNames.join(", ")}.`);
    return 2;
  }
  const names = positionals.length === 0 ? serverNames : positionals.filter(isServerName);
  if (values.install) return (await each(names, install)) ? 0 : 1;
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, resolve);
  });
  const running: RunningServer[] = [];
  const started = each(names, (name) => start(name, running));
  // Who asks to stop does not wait for a server that is still being installed: the guard ends it with us.
  const ready = await Promise.race([started, stopped]);
  if (ready === true) await stopped;
  await Promise.all(running.map((server) => server.stop()));
  return ready === false ? 1 : 0;
}

process.exitCode = await main();
process.exit();
