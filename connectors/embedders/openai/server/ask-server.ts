import { withDeadline } from "../../../../src/flow/deadline.ts";
import { readWhole } from "../../../../src/flow/read-body.ts";

/** A question must not hold up a run; what a server does not tell in this time is not known. */
const timeoutMs = 2_000;
/** Lists of models of large services are some hundred kilobytes. */
const maxBytes = 2 ** 21;

/** Asks a server about itself: `v1/…` stands beside `embeddings`, all else at the root. Undefined without an answer. */
export type AskServer = (path: string) => Promise<JsonFields | undefined>;

export type JsonFields = Readonly<Record<string, unknown>>;

/** Questions for the server of this address (of `embeddings`). They reject only when a signal aborts. */
export function questions(
  endpoint: string,
  headers: Readonly<Record<string, string>>,
  signals: readonly AbortSignal[],
): AskServer {
  return async (path) => {
    try {
      const value: unknown = JSON.parse(
        (await askText(endpoint, path, headers, signals)) ?? "null",
      );
      return isFields(value) ? value : undefined;
    } catch {
      for (const signal of signals) signal.throwIfAborted();
      return undefined;
    }
  };
}

/** What a server has at a path, as text; undefined when it has nothing there. Rejects when it cannot be asked. */
export async function askText(
  endpoint: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  signals: readonly AbortSignal[],
): Promise<string | undefined> {
  const url = addressOf(endpoint, path);
  const options = { timeoutMs, timedOut: () => new Error("The server did not answer in time.") };
  return withDeadline((signal) => getText(url, headers, signal), options, signals);
}

export function isFields(value: unknown): value is JsonFields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function addressOf(endpoint: string, path: string): string {
  const url = new URL(endpoint);
  const api = url.pathname.replace(/\/embeddings$/, "");
  const root = api.replace(/\/v1$/, "");
  url.pathname = path.startsWith("v1/") ? `${api}/${path.slice(3)}` : `${root}/${path}`;
  return url.href;
}

async function getText(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const response = await fetch(url, { headers, redirect: "manual", signal });
  if (!response.ok) {
    await response.body?.cancel();
    return undefined;
  }
  return readWhole(response.body, maxBytes);
}
