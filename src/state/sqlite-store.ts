import { hostname } from "node:os";
import type { DatabaseSync } from "node:sqlite";
import type { Clock, StateSession, StateStore } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import {
  createDatabase,
  databaseFault,
  type Disk,
  inodeOf,
  Lease,
  localDisk,
  locate,
  openForReading,
  openForWriting,
  refuseNetwork,
  WalSync,
} from "../sqlite/index.ts";
import { moveState } from "./move-state.ts";
import { stateKind } from "./schema.ts";
import { pruneDeletions } from "./sqlite-mutations.ts";
import { SqliteReader } from "./sqlite-reader.ts";
import { SqliteSession } from "./sqlite-session.ts";

export interface SqliteStateOptions {
  /** The state file; its folder is made when missing. The lease is a file beside it, `PATH.lock`. */
  readonly path: string;
  /** Where a renamed pipeline's state lies under its former name; the first writer moves it to `path`. */
  readonly formerPath?: string;
  /** The pipeline file, for messages that say where to change something. */
  readonly pipelineFile?: string;
  /** Tells when a run began; the system's clock when left out. */
  readonly clock?: Pick<Clock, "now">;
  /** The machine's own disk when left out. */
  readonly disk?: Disk;
}

/** Whoever asks whether the lease is held touches it for a moment. */
const leaseWaitMs = 50;

interface OpenOptions {
  readonly pipeline: string;
  readonly previously?: string;
  readonly mode: "read" | "write";
}

/** Keeps the state of one pipeline in one SQLite file. */
export function sqliteStateStore(options: SqliteStateOptions): StateStore {
  const { disk = localDisk, clock = Date } = options;
  const sessions = new Set<StateSession>();

  async function openRead(wanted: OpenOptions): Promise<StateSession | undefined> {
    const own = locate(options.path, false);
    const path = inodeOf(own) === undefined ? formerFile(wanted) : own;
    if (path === undefined) return undefined;
    refuseNetwork(path, stateKind.noun, disk);
    const database = openForReading(stateKind, path);
    return orClose(database, async () => {
      refuseOtherPipeline(database, wanted);
      return new SqliteSession(database, path);
    });
  }

  async function openWrite(wanted: OpenOptions): Promise<StateSession> {
    refuseNetwork(options.path, stateKind.noun, disk);
    const path = locate(options.path, true);
    refuseNetwork(path, stateKind.noun, disk);
    const lease = Lease.acquire(`${path}.lock`, leaseWaitMs);
    if (!lease) throw lockedFault(path, wanted.pipeline);
    try {
      if (inodeOf(path) === undefined) moveOrCreate(path, wanted);
      const database = openForWriting(stateKind, path);
      return await orClose(database, async () => {
        refuseOtherPipeline(database, wanted);
        takeOver(database, wanted.pipeline, clock.now());
        const log = await openLog(path);
        return new SqliteSession(database, path, { lease, log });
      });
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  function moveOrCreate(path: string, wanted: OpenOptions): void {
    const former = formerFile(wanted);
    if (former === undefined) {
      createDatabase(stateKind, path, (database) => initialise(database, wanted.pipeline));
      return;
    }
    const lease = Lease.acquire(`${former}.lock`, leaseWaitMs);
    if (!lease) throw lockedFault(former, wanted.previously ?? wanted.pipeline);
    try {
      moveState(former, path, (database) => refuseOtherPipeline(database, wanted));
    } finally {
      lease.release();
    }
  }

  /** The state under the pipeline's former name, if it is still there. */
  function formerFile({ previously }: OpenOptions): string | undefined {
    if (previously === undefined || options.formerPath === undefined) return undefined;
    const path = locate(options.formerPath, false);
    return inodeOf(path) === undefined ? undefined : path;
  }

  /** The fence must not be given out again after a loss of power, so it is durable before the session begins. */
  async function openLog(path: string): Promise<WalSync> {
    const log = await WalSync.open(path, disk);
    try {
      await log.sync();
      return log;
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  function refuseOtherPipeline(database: DatabaseSync, wanted: OpenOptions): void {
    const owner = String(new SqliteReader(database).meta("pipeline"));
    if (owner === wanted.pipeline || owner === wanted.previously) return;
    throw new Fault(
      "state.foreign",
      `the state file \`${options.path}\` belongs to pipeline \`${owner}\`, not ` +
        `\`${wanted.pipeline}\`; if it was renamed, add \`previously: ${owner}\` to ` +
        `${options.pipelineFile ? `\`${options.pipelineFile}\`` : "the pipeline file"}, ` +
        `otherwise ${stateKind.remedies.foreign}`,
    );
  }

  async function open(wanted: OpenOptions, signal: AbortSignal): Promise<StateSession | undefined> {
    signal.throwIfAborted();
    try {
      const session = await (wanted.mode === "write" ? openWrite(wanted) : openRead(wanted));
      if (session) sessions.add(session);
      return session;
    } catch (error) {
      throw databaseFault(error, stateKind, options.path);
    }
  }

  return {
    address: options.path,
    open: open as StateStore["open"],
    async isHeld() {
      return Lease.isHeld(`${locate(options.path, false)}.lock`);
    },
    async close() {
      await Promise.all([...sessions].map((session) => session.close()));
      sessions.clear();
    },
  };
}

function initialise(database: DatabaseSync, pipeline: string): void {
  const set = database.prepare("INSERT INTO meta VALUES (?, ?)");
  set.run("pipeline", pipeline);
  set.run("state_id", crypto.randomUUID());
  set.run("fence", 0);
}

/** A writing session begins: the fence grows, a renamed pipeline gets its name, the holder is noted for others. */
function takeOver(database: DatabaseSync, pipeline: string, now: number): void {
  const holder = JSON.stringify({ pid: process.pid, host: hostname(), startedAt: now });
  const set = database.prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)");
  database.exec("BEGIN IMMEDIATE");
  database.exec("UPDATE meta SET value = value + 1 WHERE key = 'fence'");
  set.run("pipeline", pipeline);
  set.run("holder", holder);
  pruneDeletions(database, now);
  database.exec("COMMIT");
}

function lockedFault(path: string, pipeline: string): Fault {
  return new Fault(
    "state.locked",
    `the state of pipeline \`${pipeline}\` (\`${path}\`) is held by ${holderOf(path)}; ` +
      "wait for it, or stop it",
  );
}

/** Who holds the lease, as far as its note can be read and its process lives. */
function holderOf(path: string): string {
  const unknown = "another run";
  try {
    const database = openForReading(stateKind, path);
    const note = new SqliteReader(database).meta("holder");
    database.close();
    if (note === undefined) return unknown;
    const { pid, host, startedAt } = JSON.parse(String(note)) as Record<string, string | number>;
    const since = new Date(Number(startedAt)).toISOString();
    if (host !== hostname()) return `another run on \`${host}\`, started ${since}`;
    process.kill(Number(pid), 0);
    return `another run, process ${pid}, started ${since}`;
  } catch {
    return unknown;
  }
}

async function orClose<Result>(
  database: DatabaseSync,
  use: () => Promise<Result>,
): Promise<Result> {
  try {
    return await use();
  } catch (error) {
    database.close();
    throw error;
  }
}
