import { installServer } from "../../../scripts/servers/install-server.ts";
import { RunningServer } from "../../../scripts/servers/running-server.ts";
import type { ServerKind } from "../../../scripts/servers/server-kind.ts";
import { weaviate } from "../../../scripts/servers/weaviate.ts";
import type { PortsOf } from "../../../scripts/servers/catalog.ts";

export type WeaviateServer = RunningServer<keyof PortsOf<"weaviate"> & string>;

/** A server of a test's own, with other settings than the shared one. */
export async function startWeaviate(
  environment: Readonly<Record<string, string>> = {},
): Promise<WeaviateServer> {
  const kind: ServerKind<keyof PortsOf<"weaviate"> & string> = {
    ...weaviate,
    async launch(place) {
      const launch = await weaviate.launch(place);
      return { ...launch, environment: { ...launch.environment, ...environment } };
    },
  };
  return RunningServer.start(kind, await installServer(weaviate));
}
