import type { Json } from "../contracts/index.ts";
import type { RunEvent } from "../engine/index.ts";
import { isFault } from "../faults/index.ts";

/** An event of a run as JSON: snake_case names, faults by code and message. */
export function eventJson(event: RunEvent): { readonly [key: string]: Json } {
  return Object.fromEntries(
    Object.entries(event).map(([key, value]: [string, unknown]) => [snakeCase(key), plain(value)]),
  );
}

function plain(value: unknown): Json {
  if (isFault(value)) return { code: value.code, message: value.message };
  // Times are measured more finely than anybody reads them.
  if (typeof value === "number") return Math.round(value * 1000) / 1000;
  return value as Json;
}

function snakeCase(key: string): string {
  if (key === "delayMs") return "delay_ms";
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
