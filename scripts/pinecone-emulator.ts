/**
 * A local Pinecone as a process of its own: `node scripts/pinecone-emulator.ts [--port N] [--api-key KEY]
 * [--visibility-delay-ms N] [--ready-delay-ms N]`. Prints the control plane's address as one line of JSON, runs until a
 * signal comes or until whoever holds the other end of its standard input goes. Nothing is kept.
 */
import { fstatSync } from "node:fs";
import { parseArgs } from "node:util";
import { startPineconeEmulator } from "../src/testkit/index.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    "api-key": { type: "string" },
    "visibility-delay-ms": { type: "string", default: "0" },
    "ready-delay-ms": { type: "string", default: "0" },
  },
});

function numberOf(name: "port" | "visibility-delay-ms" | "ready-delay-ms"): number {
  const number = Number(values[name]);
  if (/^\d+$/.test(values[name]) && Number.isSafeInteger(number)) return number;
  throw new TypeError(`--${name} must be a whole number from 0, but got \`${values[name]}\`.`);
}

const apiKey = values["api-key"];
const emulator = await startPineconeEmulator({
  port: numberOf("port"),
  visibilityDelayMs: numberOf("visibility-delay-ms"),
  readyDelayMs: numberOf("ready-delay-ms"),
  ...(apiKey === undefined ? {} : { apiKey }),
});
process.stdout.write(`${JSON.stringify({ url: emulator.url })}\n`);

const stop = (): void => {
  process.stdin.destroy();
  void emulator.close();
};
for (const event of ["SIGINT", "SIGTERM"] as const) process.once(event, stop);
// A terminal or an empty file at the other end says nothing about who is there.
const input = fstatSync(0);
if (input.isFIFO() || input.isSocket()) process.stdin.once("end", stop).resume();
