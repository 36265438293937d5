import { once } from "node:events";
import { createServer as createHttp, type Server, type ServerResponse } from "node:http";
import { createServer as createHttp2, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** How the far end answers one call. */
export type Answer =
  /** A message, or nothing but its frame. */
  | { readonly message?: Uint8Array }
  /** A status of gRPC or of HTTP. */
  | { readonly status: number; readonly text?: string; readonly headers?: Record<string, string> }
  /** The answer of something that stands in between. */
  | { readonly http: number; readonly type?: string; readonly headers?: Record<string, string> }
  /** These bytes in place of an answer's frame. */
  | { readonly raw: Uint8Array }
  | "hang"
  | "reset"
  | "refuse-stream";

/** A call as the far end sees it. */
export interface SeenCall {
  readonly method: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly message: Buffer;
}

/** The far end of the wire: both APIs, with answers from a script. */
export interface FakeServer {
  readonly http: number;
  readonly grpc: number;
  /** The keys that lead to it. */
  readonly addresses: { readonly url: string; readonly grpc_url: string };
  readonly calls: SeenCall[];
  /** Paths of requests to the REST API, with their methods. */
  readonly requests: string[];
  /** How many gRPC calls were cancelled by the client. */
  readonly cancelled: () => number;
  /** How many connections the gRPC API has seen. */
  readonly connections: () => number;
  /** Ends all connections to the gRPC API. */
  dropConnections(): void;
}

export interface FakeScript {
  /** By the name of the method; an empty message when left out, which means success to all of them. */
  readonly grpc?: (method: string) => Answer | undefined;
  /** By method and path; what a server without collections says when left out. */
  readonly rest?: (request: string) => Answer | { readonly json: unknown } | undefined;
}

const healthy = Buffer.from([8, 1]);
/** What a server says of itself. */
const meta = { version: "1.39.0", grpcMaxMessageSize: 104_858_000 };

/** Starts a fake server, which ends with the test. */
export async function startFakeServer(script: FakeScript = {}): Promise<FakeServer> {
  const calls: SeenCall[] = [];
  const requests: string[] = [];
  let [cancelled, connections] = [0, 0];
  const rest = createHttp((request, response) => {
    const name = `${request.method} ${request.url?.replace(/^\/v1/, "")}`;
    requests.push(name);
    request.resume().once("end", () => answerHttp(response, script.rest?.(name) ?? usual(name)));
  });
  const sessions = new Set<{ destroy: () => void }>();
  const grpc = createHttp2();
  grpc.on("session", (session) => {
    connections += 1;
    sessions.add(session);
    session.on("error", () => {});
    session.once("close", () => sessions.delete(session));
  });
  grpc.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    stream.once("aborted", () => (cancelled += 1));
    void read(stream).then((body) => {
      const method = String(headers[":path"]).split("/").at(-1) ?? "";
      calls.push({ method, headers, message: body.subarray(5) });
      const otherwise = method === "Check" ? { message: healthy } : {};
      answerGrpc(stream, script.grpc?.(method) ?? otherwise);
    });
  });
  const [httpPort, grpcPort] = await Promise.all([listen(rest), listen(grpc)]);
  onTestFinished(async () => {
    for (const session of sessions) session.destroy();
    rest.closeAllConnections();
    await Promise.all([closed(rest), closed(grpc)]);
  });
  return {
    http: httpPort,
    grpc: grpcPort,
    addresses: {
      url: `http://127.0.0.1:${httpPort}`,
      grpc_url: `http://127.0.0.1:${grpcPort}`,
    },
    calls,
    requests,
    cancelled: () => cancelled,
    connections: () => connections,
    dropConnections() {
      for (const session of sessions) session.destroy();
    },
  };
}

function usual(name: string): Answer | { readonly json: unknown } {
  return name === "GET /meta" ? { json: meta } : { status: 404, text: "" };
}

async function read(stream: ServerHttp2Stream): Promise<Buffer> {
  const parts: Buffer[] = [];
  try {
    for await (const part of stream as AsyncIterable<Buffer>) parts.push(part);
  } catch {
    // The client went away.
  }
  return Buffer.concat(parts);
}

function answerHttp(response: ServerResponse, answer: Answer | { readonly json: unknown }): void {
  if (answer === "hang") return;
  if (typeof answer === "string") {
    response.destroy();
    return;
  }
  if ("json" in answer) {
    response.setHeader("content-type", "application/json").end(JSON.stringify(answer.json));
    return;
  }
  const { status = 200, text = "" } = answer as { status?: number; text?: string };
  const headers = "headers" in answer ? answer.headers : undefined;
  response.writeHead(status, headers).end(text);
}

function answerGrpc(stream: ServerHttp2Stream, answer: Answer): void {
  if (answer === "hang" || stream.destroyed) return;
  if (answer === "reset") {
    stream.session?.socket.destroy();
    return;
  }
  if (answer === "refuse-stream") {
    stream.close(7);
    return;
  }
  if ("http" in answer) {
    const { http, type = "text/html", headers = {} } = answer;
    stream.respond({ ":status": http, "content-type": type, ...headers });
    stream.end("<html>");
    return;
  }
  const head = { ":status": 200, "content-type": "application/grpc" };
  if ("status" in answer) {
    const { status, text = "", headers = {} } = answer;
    const trailers = { "grpc-status": status, "grpc-message": encodeURIComponent(text) };
    stream.respond({ ...head, ...headers, ...trailers }, { endStream: true });
    return;
  }
  stream.respond(head, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": 0 }));
  stream.end("raw" in answer ? answer.raw : framed(answer.message ?? new Uint8Array()));
}

/** A message with its flag and length. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

async function listen(server: Server | Http2Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function closed(server: Server | Http2Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}
