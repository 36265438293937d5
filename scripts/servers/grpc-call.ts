import { once } from "node:events";
import { connect, type ClientHttp2Session } from "node:http2";
import { buffer } from "node:stream/consumers";

/** A gRPC message is preceded by a flag and its length; an empty one is nothing else. */
const frame = 5;

/**
 * Calls a method that takes an empty message, and returns the bytes of the answer's message. No client needed: this
 * asks a server that may not be there yet whether it works.
 */
export async function grpcCall(port: number, method: string, signal: AbortSignal): Promise<Buffer> {
  const session = connect(`http://127.0.0.1:${port}`);
  try {
    return await call(session, method, signal);
  } finally {
    session.destroy();
  }
}

async function call(
  session: ClientHttp2Session,
  method: string,
  signal: AbortSignal,
): Promise<Buffer> {
  const failed = once(session, "error").then(([error]) => Promise.reject(error as Error));
  const request = session.request(
    { ":method": "POST", ":path": method, "content-type": "application/grpc", te: "trailers" },
    { signal },
  );
  // The status stands behind the answer, or in its head when there is none.
  let status: unknown;
  const note = (headers: Readonly<Record<string, unknown>>): void => {
    status = headers["grpc-status"] ?? status;
  };
  request.on("response", note);
  request.on("trailers", note);
  request.end(Buffer.alloc(frame));
  const answer = await Promise.race([buffer(request), failed]);
  if (status !== "0") throw new Error(`\`${method}\` answers with status ${String(status)}.`);
  return answer.subarray(frame);
}
