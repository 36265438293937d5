import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type {
  DocumentKey,
  Mutation,
  StateSession,
  StateStore,
} from "../../../src/contracts/index.ts";
import { isFault } from "../../../src/faults/index.ts";

export const signal = new AbortController().signal;

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-state-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function openForWriting(store: StateStore, pipeline = "p"): Promise<StateSession> {
  onTestFinished(() => store.close());
  return store.open({ pipeline, mode: "write" }, signal);
}

/** The code and message of the fault that a promise rejects with. */
export async function faultOf(
  promise: Promise<unknown>,
): Promise<{ code: string; message: string }> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isFault(error)) throw new Error(`no fault but ${String(error)}`, { cause: error });
  return { code: error.code, message: error.message };
}

export function key(id: string, source = "docs"): DocumentKey {
  return { source, id };
}

export function uuid(number: number): string {
  return `00000000-0000-8000-8000-${number.toString(16).padStart(12, "0")}`;
}

export function seen(id: string, generation: number): Mutation {
  return { kind: "document", key: key(id), set: { seen: generation } };
}
