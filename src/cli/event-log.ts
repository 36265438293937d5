import type { RunEvent } from "../engine/index.ts";
import { eventJson } from "./event-json.ts";
import type { Terminal } from "./terminal.ts";

type Level = "debug" | "info" | "warn" | "error";

/** WARN: nothing is lost and it recovers by itself. ERROR: somebody has to act. */
const levels: Partial<Record<RunEvent["kind"], Level>> = {
  "document-settled": "debug",
  "documents-unchanged": "debug",
  "chunks-embedded": "debug",
  "chunks-cached": "debug",
  "records-written": "debug",
  "document-warned": "warn",
  "source-empty": "warn",
  retrying: "warn",
  "deletions-withheld": "error",
  "document-failed": "error",
  "component-failed": "error",
};

/** Logs the events of a run to stderr, as JSON lines with a time and a level. */
export async function eventLog(terminal: Terminal): Promise<(event: RunEvent) => void> {
  const { pino, stdTimeFunctions } = await import("pino");
  const log = pino(
    {
      level: "debug",
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (line) => terminal.log(line) },
  );
  return (event) => {
    const { kind, ...fields } = eventJson(event);
    log[levels[event.kind] ?? "info"](fields, String(kind));
  };
}
