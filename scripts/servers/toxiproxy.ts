import { rename } from "node:fs/promises";
import { join } from "node:path";
import { installGoProgram } from "./go.ts";
import type { ServerKind } from "./server-kind.ts";

const version = "2.5.0";
const program = "bin/toxiproxy-server";

/** Toxiproxy: puts faults between a client and a server. Forgets its proxies when it ends. */
export const toxiproxy: ServerKind<"http"> = {
  name: "toxiproxy",
  version,
  portNames: ["http"],
  program,
  installTakes: "10 to 60 s",
  stopSignal: "SIGTERM",

  async install(folder) {
    const module = `github.com/Shopify/toxiproxy/v2/cmd/server@v${version}`;
    await installGoProgram(folder, { module, oldestGo: "1.18" });
    await rename(join(folder, "bin/server"), join(folder, program));
  },

  async launch({ installed, ports }) {
    const args = ["-host", "127.0.0.1", "-port", String(ports.http)];
    return { program: join(installed, program), args };
  },

  async ready({ ports }, signal) {
    const { status } = await fetch(`http://127.0.0.1:${ports.http}/version`, { signal });
    if (status !== 200) throw new Error(`Toxiproxy answers with ${status}.`);
  },

  address: ({ http }) => `http://127.0.0.1:${http}`,
};
