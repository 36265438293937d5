import { once } from "node:events";
import { connect, createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import {
  BatchObjectsReply,
  BatchObjectsRequest,
} from "../../connectors/sinks/weaviate/official.ts";
import type { Forwarder } from "./forwarder.ts";

/** A way to a server that refuses objects, as the server itself would. */
export interface RefusingProxy extends Forwarder {
  /** Objects with these ids, and no others, are refused from now on. */
  refuse(ids: readonly string[]): void;
}

const frameBytes = 5;

/** Stands before the gRPC API of a server. */
export async function openRefusingProxy(port: number): Promise<RefusingProxy> {
  const refused = new Set<string>();
  const outside = connect(`http://127.0.0.1:${port}`);
  outside.on("error", () => {});
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {});
    session.once("close", () => sessions.delete(session));
  });
  server.on("stream", (inside, headers) => {
    inside.on("error", () => {});
    const path = String(headers[":path"]);
    const pass = async (): Promise<void> => {
      const body = await buffer(inside);
      const { sent, answer } = path.endsWith("/BatchObjects")
        ? withoutRefused(body, refused)
        : { sent: body, answer: (frame: Buffer) => frame };
      const request = outside.request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
        te: "trailers",
      });
      let trailers: Readonly<Record<string, unknown>> = {};
      const note = (more: object): void => void (trailers = { ...trailers, ...more });
      request.on("response", note).on("trailers", note);
      request.end(sent);
      const frame = await buffer(request);
      respond(inside, frame.length === 0 ? frame : answer(frame), trailers);
    };
    pass().catch(() => inside.close());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    refuse(ids) {
      for (const id of ids) refused.add(id);
    },
    async close() {
      outside.destroy();
      for (const session of sessions) session.destroy();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

function respond(
  stream: ServerHttp2Stream,
  frame: Buffer,
  headers: Readonly<Record<string, unknown>>,
): void {
  const status = {
    "grpc-status": String(headers["grpc-status"]),
    "grpc-message": String(headers["grpc-message"] ?? ""),
  };
  const head = { ":status": 200, "content-type": "application/grpc" };
  if (frame.length === 0) {
    stream.respond({ ...head, ...status }, { endStream: true });
    return;
  }
  stream.respond(head, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers(status));
  stream.end(frame);
}

/** A batch without what is refused, and how the server's answer becomes the one to the whole batch. */
function withoutRefused(body: Buffer, refused: ReadonlySet<string>) {
  const request = BatchObjectsRequest.decode(body.subarray(frameBytes));
  const kept = request.objects.flatMap(({ uuid }, index) => (refused.has(uuid) ? [] : [index]));
  const error = "invalid text property 'text' on class 'X': it is refused";
  const errors = request.objects.flatMap(({ uuid }, index) =>
    refused.has(uuid) ? [{ index, error }] : [],
  );
  const objects = kept.flatMap((index) => request.objects[index] ?? []);
  return {
    sent: framed(BatchObjectsRequest.encode({ ...request, objects }).finish()),
    answer(frame: Buffer): Buffer {
      const reply = BatchObjectsReply.decode(frame.subarray(frameBytes));
      const moved = reply.errors.map((entry) => ({ ...entry, index: kept[entry.index] ?? 0 }));
      return framed(BatchObjectsReply.encode({ ...reply, errors: [...moved, ...errors] }).finish());
    },
  };
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(frameBytes);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}
