import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as Arrow from "apache-arrow";
import type * as LanceDb from "@lancedb/lancedb";
import { lancedbSink } from "../../../../connectors/sinks/lancedb/index.ts";
import type { ConnectorContext, Sink } from "../../../../src/contracts/index.ts";
import type { LawContext } from "../../../../src/testkit/law.ts";
import type { SinkHarness, SinkPlace } from "../../../../src/testkit/sink-harness.ts";
import { configureSink } from "../../../support/configure-sink.ts";

/** A table in a folder of its own. */
export interface LancePlace extends SinkPlace {
  readonly folder: string;
  /** The table's folder. */
  readonly table: string;
}

export const arrow = createRequire(import.meta.url)("apache-arrow") as typeof Arrow;

/** The driver as a stranger would use it, silent. */
export async function rawDatabase(folder: string): Promise<LanceDb.Connection> {
  process.env["LANCEDB_LOG"] ??= "off";
  const { connect } = await import("@lancedb/lancedb");
  return connect(folder, { readConsistencyInterval: 0 });
}

export async function temporaryFolder(context: Pick<LawContext, "defer">): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-lancedb-"));
  context.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A sink as a pipeline makes it. */
export function makeSink(
  folder: string,
  config: Readonly<Record<string, unknown>> = {},
  context: Partial<ConnectorContext> = {},
): Sink {
  const whole = { uri: "index", collection: "handbook", ...config };
  return configureSink(lancedbSink, whole, { folder, ...context });
}

/** The laws' harness over real tables. */
export const lancedbHarness: SinkHarness<LancePlace> = {
  notSupported: { reject: "LanceDB takes or refuses a batch as a whole; it has no rules by id" },
  async place(context) {
    const folder = await temporaryFolder(context);
    return {
      folder,
      table: join(folder, "index", "handbook.lance"),
      async connect(pipeline) {
        const sink = makeSink(folder, {}, { pipeline });
        context.defer(() => sink.close());
        return sink;
      },
    };
  },
  // Clients share nothing but the files.
  reopen: async () => {},
  drop: (place) => rm(place.table, { recursive: true }),
  async disconnect(place) {
    await rename(join(place.folder, "index"), join(place.folder, "elsewhere"));
    await writeFile(join(place.folder, "index"), "in its place");
  },
  async foreign(place) {
    const database = await rawDatabase(join(place.folder, "index"));
    await database.createTable("handbook", [{ key: 1, embedding: [0.1, 0.2, 0.3] }]);
    database.close();
  },
};
