import type { TestProject } from "vitest/node";
import { type ServerName, serverNames } from "../../scripts/servers/catalog.ts";
import type { RunningServer } from "../../scripts/servers/running-server.ts";
import { startServer } from "../../scripts/servers/start-server.ts";
import type { LiveServers, NotStarted } from "./support/live-servers.ts";

const running: RunningServer[] = [];

/** Starts every server that it can, once, and hands the addresses to the tests. */
export async function setup(project: TestProject): Promise<void> {
  const wanted = wantedServers();
  const found = await Promise.all(
    serverNames.map(async (name) => [
      name,
      wanted.includes(name)
        ? await start(name)
        : { reason: "`SLUICE_LIVE_SERVERS` does not name it" },
    ]),
  );
  project.provide("servers", Object.fromEntries(found) as LiveServers);
}

export async function teardown(): Promise<void> {
  await Promise.all(running.map((server) => server.stop()));
}

/** All, or those that the environment variable `SLUICE_LIVE_SERVERS` names, with commas between. */
function wantedServers(): readonly ServerName[] {
  const { SLUICE_LIVE_SERVERS: chosen = "" } = process.env;
  if (chosen === "") return serverNames;
  const names = chosen.split(",").map((name) => name.trim());
  const unknown = names.filter((name) => !serverNames.some((known) => known === name));
  if (unknown.length > 0) {
    const known = serverNames.join(", ");
    throw new Error(`\`SLUICE_LIVE_SERVERS\` names ${unknown.join(", ")}; known are ${known}.`);
  }
  return serverNames.filter((name) => names.includes(name));
}

async function start(name: ServerName): Promise<LiveServers[ServerName]> {
  try {
    const server: RunningServer = await startServer(name, { report: console.error });
    running.push(server);
    return { address: server.address, ports: server.ports };
  } catch (error) {
    const reason = String(error);
    console.error(`There is no ${name} for the live tests. ${reason}`);
    return { reason } satisfies NotStarted;
  }
}
