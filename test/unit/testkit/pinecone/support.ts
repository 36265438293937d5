import { onTestFinished } from "vitest";
import {
  type PineconeEmulator,
  type PineconeEmulatorOptions,
  startPineconeEmulator,
} from "../../../../src/testkit/index.ts";

/** The newest API that is described officially, and the one that the client of 9.0.0 speaks. */
export const described = "2026-04";
export const current = "2026-07";

export interface Reply {
  readonly status: number;
  /** Parsed when it is JSON, else the text. */
  readonly body: unknown;
  /** Headers by name, in small letters. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Sends requests to one address. */
export type Send = (request: string, body?: unknown) => Promise<Reply>;

export interface SendOptions {
  readonly version?: string;
  readonly key?: string;
}

/** Sends `"POST /vectors/upsert"` and the like to an address. A body that is text is sent as it is. */
export function sender(address: string, options: SendOptions = {}): Send {
  return async (request, body) => {
    const [method = "", path = ""] = request.split(" ");
    const response = await fetch(`${address}${path}`, {
      method,
      headers: {
        "api-key": options.key ?? "key",
        "x-pinecone-api-version": options.version ?? described,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type") === "application/json";
    return {
      status: response.status,
      body: isJson ? JSON.parse(text) : text,
      headers: Object.fromEntries(response.headers),
    };
  };
}

/** An emulator that closes when the test ends. */
export async function start(options: PineconeEmulatorOptions = {}): Promise<PineconeEmulator> {
  const emulator = await startPineconeEmulator(options);
  onTestFinished(() => emulator.close());
  return emulator;
}

export interface IndexSettings {
  readonly name?: string;
  readonly dimension?: number;
  readonly metric?: string;
  readonly vector_type?: string;
}

/** Makes a classic index; gives its address. */
export async function makeIndex(
  emulator: PineconeEmulator,
  settings: IndexSettings = { dimension: 3 },
): Promise<string> {
  const spec = { serverless: { cloud: "aws", region: "us-east-1" } };
  const { body } = await sender(emulator.url)("POST /indexes", {
    name: "books",
    spec,
    ...settings,
  });
  return (body as { readonly host: string }).host;
}

/** An emulator with one index of dimension 3, and what sends to it. */
export async function startIndex(
  options: PineconeEmulatorOptions = {},
  settings: IndexSettings = { dimension: 3 },
): Promise<{ readonly emulator: PineconeEmulator; readonly host: string; readonly send: Send }> {
  const emulator = await start(options);
  const host = await makeIndex(emulator, settings);
  return { emulator, host, send: sender(host) };
}

/** The body of a refusal by the data plane. */
export function refused(message: string, code = 3): object {
  return { code, message, details: [] };
}

/** Records with vectors that differ, by id. */
export function records(...ids: readonly string[]) {
  return ids.map((id, index) => ({ id, values: [1, index + 1, 0] }));
}
