import { once } from "node:events";
import { access, constants, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import type { ServerKind } from "./server-kind.ts";

const program = "redis-server";

/**
 * The Redis of the machine. Nothing is kept when it ends, unless a test tells it otherwise (`CONFIG SET`, and
 * `CONFIG REWRITE` for the next start).
 */
export const redis: ServerKind<"redis"> = {
  name: "redis",
  version: "system",
  portNames: ["redis"],
  program,
  installTakes: "no time: the machine's own is used",
  stopSignal: "SIGTERM",

  async install(folder) {
    const { PATH = "" } = process.env;
    for (const place of [...PATH.split(delimiter), "/usr/bin", "/usr/local/bin"]) {
      const path = join(place, program);
      const isThere = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (isThere) return symlink(path, join(folder, program));
    }
    throw new Error(`There is no ${program}. Install it (\`apt-get install redis-server\`).`);
  },

  async launch({ installed, scratch, ports }) {
    const settings = join(scratch, "redis.conf");
    const first = `bind 127.0.0.1\nport ${ports.redis}\ndir ${scratch}\nsave ""\nappendonly no\n`;
    // What a test has changed holds at the next start.
    await writeFile(settings, first, { flag: "wx" }).catch((error: unknown) => {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    });
    return { program: join(installed, program), args: [settings] };
  },

  async ready({ ports }, signal) {
    const socket = connect({ host: "127.0.0.1", port: ports.redis, signal });
    try {
      socket.write("PING\r\n");
      const [answer] = await once(socket, "data", { signal });
      // One that wants a password does its work.
      if (!/^(?:\+PONG|-NOAUTH)/.test(String(answer))) throw new Error(`Redis says ${answer}`);
    } finally {
      socket.destroy();
    }
  },

  address: (ports) => `redis://127.0.0.1:${ports.redis}`,
};
