import { join } from "node:path";
import { execute } from "./execute.ts";
import { grpcCall } from "./grpc-call.ts";
import { makePython } from "./python.ts";
import type { ServerKind } from "./server-kind.ts";

const version = "3.2.2";
const python = "venv/bin/python";

/** Milvus Lite: Milvus' interface over one folder, written in Python, with fewer checks than the real one. */
export const milvusLite: ServerKind<"grpc"> = {
  name: "milvus-lite",
  version,
  portNames: ["grpc"],
  program: python,
  installTakes: "about 20 s",
  // What its Ctrl-C sends; it does not listen to SIGTERM.
  stopSignal: "SIGINT",

  async install(folder) {
    const interpreter = await makePython(join(folder, "venv"), [
      `milvus-lite==${version}`,
      // Its messages are those of this client, which it does not ask for.
      "pymilvus==3.0.2",
    ]);
    await execute(interpreter, ["-c", "import milvus_lite.cmdline"], { timeoutMs: 60_000 });
  },

  async launch({ installed, scratch, ports }) {
    const place = ["--data-dir", join(scratch, "data")];
    const listen = ["--host", "127.0.0.1", "--port", String(ports.grpc)];
    return {
      program: join(installed, python),
      args: ["-m", "milvus_lite", "server", ...place, ...listen],
      environment: { PYTHONUNBUFFERED: "1", PYTHONDONTWRITEBYTECODE: "1" },
    };
  },

  async ready({ ports }, signal) {
    await grpcCall(ports.grpc, "/milvus.proto.milvus.MilvusService/GetVersion", signal);
  },

  address: ({ grpc }) => `127.0.0.1:${grpc}`,
};
