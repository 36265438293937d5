import type { JsonObject, RunRow, StateSession } from "../contracts/index.ts";
import type { Pipeline } from "./pipeline.ts";

/** Runs that `status` tells of. */
const lastRuns = 10;

/** A run that began, as far as the state knows of it. */
export interface RunStatusRow {
  readonly run: string;
  readonly started_at: string;
  readonly ended_at?: string;
  /** `died` when it never ended and nobody holds the lease that it held. */
  readonly status: RunRow["status"] | "died";
  readonly summary?: JsonObject;
}

/** The last runs, newest first. */
export async function runHistory(
  pipeline: Pipeline,
  session: StateSession,
): Promise<readonly RunStatusRow[]> {
  const rows = await session.runs(lastRuns);
  if (rows[0]?.status !== "running" || (await pipeline.state.isHeld())) {
    return rows.map((row, index) => statusRow(row, index > 0));
  }
  // It may have ended between the two questions; a run that began between them is running.
  const again = await session.runs(lastRuns);
  const newest = rows[0].id;
  const from = again.findIndex((row) => row.id === newest);
  return again.map((row, index) => statusRow(row, from === -1 ? index > 0 : index >= from));
}

function statusRow(row: RunRow, isOver: boolean): RunStatusRow {
  const { id, startedAt, endedAt, status, summary } = row;
  return {
    run: id,
    started_at: new Date(startedAt).toISOString(),
    ...(endedAt === undefined ? {} : { ended_at: new Date(endedAt).toISOString() }),
    status: status === "running" && isOver ? "died" : status,
    ...(summary === undefined ? {} : { summary }),
  };
}
