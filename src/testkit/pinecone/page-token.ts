import { Refusal } from "./refusal.ts";

/** A page of a sorted list, and the token of the next one. */
export interface Page {
  readonly items: readonly string[];
  readonly next: string | undefined;
}

/**
 * Cuts a page out of sorted names: those that begin with the prefix, behind what the token says. A page begins behind
 * the last name of the one before, whatever came or went meanwhile.
 */
export function cutPage(
  sorted: readonly string[],
  options: { readonly prefix: string; readonly limit: number; readonly token: string | undefined },
): Page {
  const { prefix, limit, token } = options;
  const after = token === undefined || token === "" ? undefined : readToken(token);
  const start = firstIndex(
    sorted,
    (name) => name >= prefix && (after === undefined || name > after),
  );
  const items: string[] = [];
  for (let index = start; index < sorted.length; index += 1) {
    const name = sorted[index];
    if (name?.startsWith(prefix) !== true) break;
    const last = items.at(-1);
    if (items.length === limit && last !== undefined) return { items, next: writeToken(last) };
    items.push(name);
  }
  return { items, next: undefined };
}

/** Reads the limit of a list from a query string; `most` when none is given. */
export function readLimit(text: string | null, most: number): number {
  if (text === null || text === "") return most;
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= most) return limit;
  throw new Refusal(400, `limit must be between 1 and ${most}, but got ${text}`);
}

/** The part of an answer that leads to the next page; nothing on the last one. */
export function pagination(next: string | undefined): { readonly pagination?: { next: string } } {
  return next === undefined ? {} : { pagination: { next } };
}

function writeToken(last: string): string {
  return Buffer.from(JSON.stringify({ skip_past: last, prefix: null })).toString("base64");
}

function readToken(token: string): string {
  try {
    const content: unknown = JSON.parse(Buffer.from(token, "base64").toString("utf8"));
    if (typeof content === "object" && content !== null && "skip_past" in content) {
      if (typeof content.skip_past === "string") return content.skip_past;
    }
  } catch {
    // Not JSON, so not one of ours.
  }
  throw new Refusal(400, "Invalid pagination token");
}

/** The first index whose name is far enough; names that are far enough come behind those that are not. */
function firstIndex(sorted: readonly string[], isFarEnough: (name: string) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isFarEnough(sorted[middle] ?? "")) high = middle;
    else low = middle + 1;
  }
  return low;
}
