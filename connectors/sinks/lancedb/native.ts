import { createRequire } from "node:module";
import type * as Arrow from "apache-arrow";
import type * as LanceDb from "@lancedb/lancedb";
import { loadPackages } from "../../../src/flow/load-packages.ts";

/** The native driver and the Arrow library that it shares with us. */
export interface Native {
  readonly lancedb: typeof LanceDb;
  readonly arrow: typeof Arrow;
}

/**
 * Read once by the driver when it loads; what the user has set stays. The log prints to stderr past our own, and
 * everything that matters in it arrives as a rejection. The other three bound what a scan or a compaction reads ahead:
 * compacting 100,000 records of 1,024 numbers peaked at 542 MB with them and at 852 to 1,215 MB without, and was faster.
 */
const settings = {
  LANCEDB_LOG: "off",
  LANCE_DEFAULT_IO_BUFFER_SIZE: `${32 * 1024 * 1024}`,
  LANCE_DEFAULT_BATCH_SIZE: "1024",
  LANCE_DEFAULT_FRAGMENT_READAHEAD: "2",
};

/** Bounds of the driver's caches; its defaults are 6 GB and 1 GB. */
const indexCacheBytes = 256 * 1024 * 1024;
const metadataCacheBytes = 64 * 1024 * 1024;

let loading: Promise<Native> | undefined;

/** Loads the driver on first use. */
export function loadNative(): Promise<Native> {
  const use = { user: "The sink `lancedb`", packages: ["@lancedb/lancedb", "apache-arrow"] };
  loading ??= loadPackages(use, load).catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(): Promise<Native> {
  for (const [name, value] of Object.entries(settings)) process.env[name] ??= value;
  const lancedb = await import("@lancedb/lancedb");
  // `require` gives the copy that the driver itself uses, so that it need not rebuild our schemas and batches.
  const require = createRequire(import.meta.url);
  const arrow = require("apache-arrow") as typeof Arrow;
  return { lancedb, arrow };
}

/** Connects to a folder. Every read sees what other processes have committed. */
export async function connectTo(native: Native, folder: string): Promise<LanceDb.Connection> {
  const { connect, Session } = native.lancedb;
  const session = new Session(BigInt(indexCacheBytes), BigInt(metadataCacheBytes));
  return connect(folder, { readConsistencyInterval: 0 }, session);
}
