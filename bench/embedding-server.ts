import { parseArgs } from "node:util";
import { startEmbeddingServer } from "../src/testkit/embedding-server.ts";

// The stub server as a process of its own: prints its address as one line of JSON, runs until stdin closes or a signal.
// `GET /stats` gives the counts, `POST /reset` forgets them.
const { values } = parseArgs({
  options: {
    dimension: { type: "string", default: "1024" },
    "tokens-per-second": { type: "string" },
    "latency-ms": { type: "string", default: "0" },
    forget: { type: "boolean", default: false },
  },
});

const server = await startEmbeddingServer({
  dimension: Number(values.dimension),
  latencyMs: Number(values["latency-ms"]),
  remember: !values.forget,
  ...(values["tokens-per-second"] === undefined
    ? {}
    : { tokensPerSecond: Number(values["tokens-per-second"]) }),
});
process.stdout.write(`${JSON.stringify({ url: server.url })}\n`);
for (const event of ["SIGINT", "SIGTERM"] as const) process.once(event, () => void server.close());
process.stdin.once("end", () => void server.close()).resume();
