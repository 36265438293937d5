#!/usr/bin/env node
// Starts sluice: from its sources in a checkout, from `dist` in an installed package. Plain JavaScript that old
// versions of Node.js can read too, so that they can say what is missing.
import { existsSync } from "node:fs";
import * as module from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { allocator, nodeOptions } from "./memory-settings.js";
import { refuseNode } from "./node-version.js";

const sources = new URL("../src/cli/main.ts", import.meta.url);
const built = new URL("../dist/src/cli/main.js", import.meta.url);
// Node.js runs TypeScript of a checkout, but not of an installed package.
const fromSources = existsSync(sources) && !import.meta.url.includes("/node_modules/");
const { version, execPath } = process;
const refusal = refuseNode({ version, execPath, checkout: fromSources });

if (refusal !== undefined) {
  fail(refusal);
} else if (!fromSources && !existsSync(built)) {
  fail("sluice is not built: there is no dist folder. Run `npm run build`.");
} else {
  if (process.argv[2] === "run") saveMemory();
  keepCompiledCode();
  await import(fromSources ? sources : built);
}

/** Starts this very process again with settings that only a new process can have: a run may take long and hold much. */
function saveMemory() {
  const { env, execArgv, argv, platform } = process;
  const set = Object.keys(allocator).some((name) => name in env);
  if (platform !== "linux" || process.execve === undefined || set) return;
  const args = [execPath, ...nodeOptions, ...execArgv, ...argv.slice(1)];
  process.execve(execPath, args, { ...env, ...allocator });
}

/** Keeps compiled code between runs, so that a command starts in half the time; in a folder that nobody else can fill. */
function keepCompiledCode() {
  if (module.enableCompileCache === undefined) return;
  const folder = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  module.enableCompileCache(join(folder, "sluice", "compiled"));
}

function fail(message) {
  if (process.argv.includes("--json")) {
    console.log(JSON.stringify({ error: { code: "config.invalid", message } }));
  }
  console.error(message);
  process.exitCode = 2;
}
