import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { isFault } from "../../../src/faults/index.ts";

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-cache-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function keyOf(number: number): string {
  return createHash("sha256").update(`text ${number}`).digest("hex");
}

/** Entries for the numbers from `start`, each vector holding the one after its number: none is zero. */
export function entries(start: number, count: number, length = 1024): Map<string, Float32Array> {
  const numbers = Array.from({ length: count }, (_, index) => start + index);
  return new Map(
    numbers.map((number) => [keyOf(number), new Float32Array(length).fill(number + 1)]),
  );
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
