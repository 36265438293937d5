import type { IncomingMessage, ServerResponse } from "node:http";
import { gone } from "../embedding-responses.ts";
import type { Answer } from "./call.ts";
import { limits } from "./limits.ts";
import { type Plane, type Refusal, refusalBody } from "./refusal.ts";

/** A body as it arrived. Of one that is too large only the size is kept. */
export interface Body {
  readonly bytes: number;
  /** Undefined when it is too large for any operation. */
  readonly text: string | undefined;
}

/** Reads a body to its end, whatever its size, and holds no more of it than the largest operation takes. */
export async function readBody(message: IncomingMessage): Promise<Body> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of message) {
    const buffer: Buffer = part;
    bytes += buffer.length;
    if (bytes <= limits.messageBytes) parts.push(buffer);
    else parts.length = 0;
  }
  const isKept = bytes <= limits.messageBytes;
  return { bytes, text: isKept ? Buffer.concat(parts).toString("utf8") : undefined };
}

/** An answer as it goes over the wire. */
export interface Rendered {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

export function renderAnswer({ status, body, headers }: Answer): Rendered {
  if (body === undefined) return { status, text: "", headers: { ...headers } };
  return { status, text: JSON.stringify(body), headers: { ...json, ...headers } };
}

/** A refusal in the words of its plane. A wrong key is told as plain text by both. */
export function renderRefusal(plane: Plane, refusal: Refusal): Rendered {
  const { status } = refusal;
  if (status === 401) return { status, text: refusal.message, headers: plain };
  return { status, text: JSON.stringify(refusalBody(plane, refusal)), headers: json };
}

const json = { "content-type": "application/json" };
const plain = { "content-type": "text/plain" };

export function send(response: ServerResponse, { status, text, headers }: Rendered): void {
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(text) });
  response.end(text);
}

/** Half of an answer, then the end of the connection. */
export async function sendHalf(response: ServerResponse, answer: Rendered): Promise<void> {
  const bytes = Buffer.from(answer.text);
  response.writeHead(answer.status, { ...answer.headers, "content-length": bytes.length });
  const half = bytes.subarray(0, bytes.length >> 1);
  await new Promise<void>((resolve) => response.write(half, () => resolve()));
  response.destroy();
}

/** No answer: a reset, or nothing until the client goes or the emulator closes. */
export async function keepSilent(
  response: ServerResponse,
  how: "reset" | "hang",
  closing: AbortSignal,
): Promise<void> {
  if (how === "reset") response.socket?.resetAndDestroy();
  else await gone(response, closing);
}
