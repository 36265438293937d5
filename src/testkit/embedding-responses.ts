import type { IncomingMessage, ServerResponse } from "node:http";

export async function readBody(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

export function sendJson(response: ServerResponse, value: unknown): void {
  sendText(response, JSON.stringify(value));
}

export function sendText(response: ServerResponse, text: string, type = "application/json"): void {
  response.writeHead(200, { "content-type": type, "content-length": Buffer.byteLength(text) });
  response.end(text);
}

export function sendStatus(
  response: ServerResponse,
  answer: {
    readonly status: number;
    readonly body?: string;
    readonly retryAfter?: string;
    readonly location?: string;
  },
): void {
  if (answer.retryAfter !== undefined) response.setHeader("retry-after", answer.retryAfter);
  if (answer.location !== undefined) response.setHeader("location", answer.location);
  response.writeHead(answer.status, { "content-type": "application/json" });
  response.end(answer.body ?? "");
}

export async function sendHalf(
  response: ServerResponse,
  text: string,
  kind: "cut-off" | "half",
): Promise<void> {
  const half = text.slice(0, text.length >> 1);
  if (kind === "half") return sendText(response, half);
  response.writeHead(200, { "content-type": "application/json", "content-length": text.length });
  await new Promise<void>((resolve) => response.write(half, () => resolve()));
  response.destroy();
}

export async function sendEndless(response: ServerResponse): Promise<void> {
  response.writeHead(200, { "content-type": "application/json" });
  const part = Buffer.alloc(65_536, " ");
  while (!response.destroyed) {
    await new Promise<void>((resolve) => {
      response.once("close", resolve);
      response.write(part, () => {
        response.off("close", resolve);
        resolve();
      });
    });
  }
}

export function gone(response: ServerResponse, closing: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    response.once("close", resolve);
    closing.addEventListener("abort", () => resolve(), { once: true });
  });
}
