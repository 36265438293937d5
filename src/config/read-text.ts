import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { errorCode } from "../flow/error-code.ts";
import { placesIn } from "./places.ts";
import type { Position, Problem } from "./problem.ts";

export const maxFileBytes = 1024 * 1024;

export type TextOutcome = { readonly text: string } | { readonly problem: Problem };

const controlCharacters = /[^\P{Cc}\t\n\r]/u;

/** Reads a small text file; opens neither pipes nor devices, and never reads more than the limit. */
export async function readText(file: string): Promise<TextOutcome> {
  const problem = (message: string, at = { file, line: 1, column: 1 }) => ({
    problem: { at, message },
  });
  let bytes: Buffer | string;
  try {
    bytes = await readBytes(file);
  } catch (error) {
    return problem(`the file cannot be read (${explain(error)})`);
  }
  if (typeof bytes === "string") return problem(bytes);
  return decode(bytes, file, problem);
}

/** The bytes, or why they are not read. */
async function readBytes(file: string): Promise<Buffer | string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await handle.stat();
    if (stat.isDirectory()) return "this is a folder; name the pipeline file in it";
    if (!stat.isFile()) return "this is not a regular file";
    const buffer = Buffer.alloc(maxFileBytes + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > maxFileBytes) return "the file is over 1 MB; a pipeline file is a few kB";
    return buffer.subarray(0, length);
  } finally {
    await handle.close();
  }
}

function decode(
  bytes: Buffer,
  file: string,
  problem: (message: string, at?: Position) => TextOutcome,
): TextOutcome {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return problem("the file is not UTF-8 text; save it as UTF-8");
  }
  const index = text.search(controlCharacters);
  if (index === -1) return { text };
  const at = placesIn(text, file)(index);
  return problem("a control character stands here; a pipeline file is plain text", at);
}

function explain(error: unknown): string {
  const code = errorCode(error);
  if (code === "ENOENT") return "it does not exist";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  return code || "unknown error";
}
