import { execFile } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";

/** A port that takes connections and never says anything; whoever reads is told nothing. */
async function openHole(): Promise<number> {
  const sockets = new Set<Socket>();
  const hole = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.resume();
  });
  hole.listen(0, "127.0.0.1");
  await once(hole, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    hole.close();
  });
  return (hole.address() as AddressInfo).port;
}

interface Ending {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a module in a process of its own, which is killed when it does not end by itself. */
function run(source: string): Promise<Ending> {
  const args = ["--input-type=module", "--eval", source];
  const options = { cwd: import.meta.dirname, timeout: 60_000, killSignal: "SIGKILL" } as const;
  return new Promise((resolve) => {
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? (error === null ? 0 : -1)), stdout, stderr });
    });
  });
}

const addresses: Readonly<Record<string, (port: number) => object>> = {
  milvus: (port) => ({ address: `127.0.0.1:${port}`, collection: "handbook" }),
  weaviate: (port) => ({
    url: `http://127.0.0.1:${port}`,
    grpc_url: `http://127.0.0.1:${port}`,
    collection: "Handbook",
  }),
  pinecone: (port) => ({
    api_key: "a-key",
    index: "handbook",
    control_url: `http://127.0.0.1:${port}`,
  }),
};

it.each(Object.keys(addresses))(
  "a process ends by itself, and prints nothing, once the sink %s that nobody answers is closed",
  { timeout: 120_000 },
  async (type) => {
    const port = await openHole();
    const config = { ...addresses[type]?.(port), timeout_ms: 500 };
    const { code, stdout, stderr } = await run(`
      import { ${type}Sink as connector } from "../../../connectors/sinks/${type}/index.ts";
      import { systemClock } from "../../../src/flow/index.ts";
      const context = { name: "search", pipeline: "p", folder: "/", clock: systemClock, fields: {} };
      const sink = connector.create(connector.config.parse(${JSON.stringify(config)}), context);
      const { signal } = new AbortController();
      const codeOf = (call) => call.then(() => "none", (error) => error.code ?? String(error));
      const first = await codeOf(sink.describe(signal));
      const pending = [sink.describe(signal), sink.check(signal)].map(codeOf);
      await sink.close();
      console.log(JSON.stringify([first, ...(await Promise.all(pending))]));
    `);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [first, ...pending] = JSON.parse(stdout) as readonly string[];
    expect(["sink.timeout", "sink.unreachable"]).toContain(first);
    expect(pending).toEqual(["aborted", "aborted"]);
  },
);
