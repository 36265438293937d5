import { once } from "node:events";
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { getGRPCService, LOADER_OPTIONS } from "@zilliz/milvus2-sdk-node";

/** What the far end of the wire does with a call. */
export type Behaviour =
  /** Answers with a message. */
  | object
  /** Ends the call with a status of gRPC. */
  | { readonly grpc: number; readonly text: string }
  /** Never answers. */
  | "silence"
  /** Breaks the connection. */
  | "reset";

/** A request as it came, decoded. */
export interface Received {
  readonly method: string;
  readonly message: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** What a fake answers: by method, one for all calls, or made for each. */
export type Answers = Readonly<Record<string, Behaviour | ((request: Received) => Behaviour)>>;

const { service } = getGRPCService(
  { serviceName: "milvus.proto.milvus.MilvusService" },
  LOADER_OPTIONS,
);

const success = { code: 0, error_code: "Success", reason: "" };

/** A refusal as the servers write it. */
export function refusal(code: number, reason: string): object {
  return { status: { code, error_code: "UnexpectedError", reason } };
}

/** The far end of the wire: speaks gRPC, knows Milvus' messages, and does what it is told. Without answers: success. */
export class FakeMilvus {
  readonly received: Received[] = [];
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();
  #answers: Answers;

  private constructor(server: Http2Server, answers: Answers) {
    this.#server = server;
    this.#answers = answers;
    server.on("session", (session) => {
      this.#sessions.add(session);
      session.on("close", () => this.#sessions.delete(session));
      session.on("error", () => {});
    });
    server.on("stream", (stream, headers) => {
      stream.on("error", () => {});
      this.#answer(stream, headers).catch(() => stream.close());
    });
  }

  static async start(answers: Answers, tls?: SecureServerOptions): Promise<FakeMilvus> {
    const server = tls === undefined ? createServer() : createSecureServer(tls);
    server.on("tlsClientError", () => {});
    server.on("sessionError", () => {});
    const fake = new FakeMilvus(server as Http2Server, answers);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return fake;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Replaces the answers of some methods. */
  answer(answers: Answers): void {
    this.#answers = { ...this.#answers, ...answers };
  }

  /** The requests of one method. */
  of(method: string): Received[] {
    return this.received.filter((request) => request.method === method);
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const session of this.#sessions) session.destroy();
    await closed;
  }

  async #answer(
    stream: ServerHttp2Stream,
    headers: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const method = String(headers[":path"]).split("/").at(-1) ?? "";
    const definition = service[method];
    const bytes = await buffer(stream);
    const message = definition?.requestDeserialize(bytes.subarray(5)) as Received["message"];
    const request = { method, message, headers };
    this.received.push(request);
    const told = this.#answers[method] ?? {};
    const behaviour = typeof told === "function" ? told(request) : told;
    if (behaviour === "silence") return;
    if (behaviour === "reset") {
      stream.session?.socket.destroy();
      return;
    }
    const head = { ":status": 200, "content-type": "application/grpc" };
    if (typeof behaviour === "object" && "grpc" in behaviour) {
      const { grpc, text } = behaviour as { readonly grpc: number; readonly text: string };
      const details = encodeURIComponent(text).replaceAll("%20", " ");
      stream.respond(
        { ...head, "grpc-status": String(grpc), "grpc-message": details },
        { endStream: true },
      );
      return;
    }
    // Some answers are a status, others have one.
    const answer = { ...success, status: success, ...(behaviour as object) };
    const encoded = definition?.responseSerialize(
      answer.status === success ? answer : { ...answer, ...(answer.status as object) },
    );
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(encoded?.length ?? 0, 1);
    stream.respond(head, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.concat([frame, encoded ?? Buffer.alloc(0)]));
  }
}
