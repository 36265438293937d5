import { type PortOf, serverKinds, type ServerName } from "./catalog.ts";
import { installServer, type InstallOptions } from "./install-server.ts";
import { RunningServer, type StartOptions } from "./running-server.ts";
import type { ServerKind } from "./server-kind.ts";

/** Installs a server if need be, starts it, and resolves when it is ready. */
export async function startServer<Name extends ServerName>(
  name: Name,
  options: InstallOptions & StartOptions = {},
): Promise<RunningServer<PortOf<Name>>> {
  const kind = serverKinds[name] as unknown as ServerKind<PortOf<Name>>;
  return RunningServer.start(kind, await installServer(kind, options), options);
}
