import { copyFile, cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { execute } from "./execute.ts";
import { grpcCall } from "./grpc-call.ts";
import { numberInField } from "./protobuf.ts";
import { makePython } from "./python.ts";
import type { ServerKind, ServerPlace } from "./server-kind.ts";

const version = "2.3.5";

const coordinators = ["root_coord", "query_coord", "data_coord", "index_coord"] as const;
const nodes = ["query_node", "index_node", "data_node"] as const;
/** Those of the template, by its own names, and three that it does not know. */
const portNames = [
  "proxy",
  "proxy_internal",
  ...coordinators,
  ...nodes,
  "etcd",
  "etcd_peer",
  "metrics",
] as const;

type Port = (typeof portNames)[number];

/**
 * The real Milvus, standalone: one program with the components of the cluster and etcd inside. It comes with a Python
 * package, whose starter we leave aside: it lets etcd and the metrics fight for fixed ports with other instances.
 *
 * The components listen on all interfaces, which cannot be changed; etcd on 127.0.0.1 only.
 */
export const milvus: ServerKind<Port> = {
  name: "milvus",
  version,
  portNames,
  program: "bin/milvus",
  installTakes: "about 20 s",
  // Asked to end, it would wait for another node to take its collections.
  stopSignal: "SIGKILL",

  async install(folder) {
    const temporary = join(folder, "venv");
    const python = await makePython(temporary, ["setuptools", `milvus==${version}`]);
    const run = (script: string, ...args: readonly string[]): Promise<string> =>
      execute(python, ["-c", script, ...args], { timeoutMs: 5 * 60_000 });
    await run("import milvus, sys; milvus._initialize_data_files(sys.argv[1])", folder);
    const data = await run("import milvus, os; print(os.path.dirname(milvus.__file__))");
    await cp(join(data.trim(), "data", "config.yaml.template"), join(folder, "milvus.yaml"));
    await cp(join(data.trim(), "data", "glog.conf"), join(folder, "glog.conf"));
    await rm(temporary, { recursive: true });
  },

  async launch(place) {
    const { installed, scratch, ports } = place;
    await writeSettings(place);
    const local = ["rootCoord", "proxy", "queryCoord", "queryNode", "indexNode", "dataCoord"];
    return {
      program: join(installed, "bin/milvus"),
      args: ["run", "standalone", `-alias=${basename(scratch)}`],
      // Milvus takes any setting of its file from here too: `common.session.ttl` is `COMMON_SESSION_TTL`.
      environment: {
        LD_LIBRARY_PATH: join(installed, "bin"),
        DEPLOY_MODE: "STANDALONE",
        MILVUSCONF: join(scratch, "configs"),
        METRICS_PORT: String(ports.metrics),
        ETCD_CONFIG_PATH: join(scratch, "configs", "etcd.yaml"),
        // So long, in seconds, does a restarted Milvus wait for the components that were killed; 30 is the default.
        COMMON_SESSION_TTL: "5",
        ...Object.fromEntries(
          [...local, "dataNode"].map((name) => [`${name.toUpperCase()}_IP`, "127.0.0.1"]),
        ),
      },
    };
  },

  async ready({ ports }, signal) {
    const method = "/milvus.proto.milvus.MilvusService/CheckHealth";
    const answer = await grpcCall(ports.proxy, method, signal);
    const isHealthy = 2;
    if (numberInField(answer, isHealthy) !== 1) throw new Error("Milvus says it is not healthy.");
  },

  address: ({ proxy }) => `127.0.0.1:${proxy}`,

  litter({ scratch }, processId) {
    const folders = ["/run/milvus", "/tmp/milvus"];
    const names = [`standalone-${basename(scratch)}.pid`, `server_id_${processId}`];
    return folders.flatMap((folder) => names.map((name) => join(folder, name)));
  },
};

/** Fills in the package's template, in which `{{ name(type): default }}` stands for a value. */
async function writeSettings({ installed, scratch, ports }: ServerPlace<Port>): Promise<void> {
  const configs = join(scratch, "configs");
  const data = join(scratch, "data");
  const logs = join(scratch, "logs");
  for (const folder of [configs, data, logs]) await mkdir(folder, { recursive: true });
  const values: Readonly<Record<string, string>> = {
    ...Object.fromEntries(portNames.map((name) => [`${name}_port`, String(ports[name])])),
    etcd_data_dir: join(data, "etcd"),
    etcd_log_path: join(logs, "etcd.log"),
    local_storage_dir: data,
    rocksmq_data_dir: join(data, "rocksmq"),
    system_log_path: logs,
  };
  const template = await readFile(join(installed, "milvus.yaml"), "utf8");
  const settings = template.replaceAll(
    /\{\{\s*(\w+)(?:\(\w+\))?\s*(?::\s*([^}]*?))?\s*\}\}/g,
    (whole, name: string, fallback?: string) => values[name] ?? fallback ?? whole,
  );
  await writeFile(join(configs, "milvus.yaml"), settings);
  await copyFile(join(installed, "glog.conf"), join(configs, "glog.conf"));
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcd_peer}`;
  const etcd = {
    name: "default",
    "listen-client-urls": client,
    "advertise-client-urls": client,
    "listen-peer-urls": peer,
    "initial-advertise-peer-urls": peer,
    "initial-cluster": `default=${peer}`,
    // It bears being killed, if not a power cut, and does not wait for a slow disk.
    "unsafe-no-fsync": true,
  };
  // JSON is YAML.
  await writeFile(join(configs, "etcd.yaml"), JSON.stringify(etcd));
}
