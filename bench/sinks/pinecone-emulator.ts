import { startPineconeEmulator } from "../../src/testkit/pinecone/index.ts";

// The emulator as a process of its own: prints its address as one line of JSON, runs until stdin closes or a signal.
const emulator = await startPineconeEmulator();
process.stdout.write(`${JSON.stringify({ url: emulator.url })}\n`);
for (const event of ["SIGINT", "SIGTERM"] as const) {
  process.once(event, () => void emulator.close());
}
process.stdin.once("end", () => void emulator.close()).resume();
