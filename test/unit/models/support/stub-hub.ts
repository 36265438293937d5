import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How the hub, or the host that it redirects to, answers one request. */
export type HubBehaviour =
  | { readonly kind: "status"; readonly status: number; readonly retryAfter?: string }
  /** Says how long the answer is, sends so many bytes of it, and hangs up. */
  | { readonly kind: "cut-off"; readonly after: number }
  /** The same, but ends as if that were all. */
  | { readonly kind: "short"; readonly after: number }
  /** Sends so many bytes and then nothing, until the client goes. */
  | { readonly kind: "stall"; readonly after: number }
  | { readonly kind: "ignore-range" }
  /** Another file of the same length. */
  | { readonly kind: "other-content" }
  | { readonly kind: "longer" }
  /** A range that was not asked for. */
  | { readonly kind: "other-range" }
  | { readonly kind: "body"; readonly body: string }
  | { readonly kind: "redirect"; readonly location: string };

export interface SeenRequest {
  readonly host: "hub" | "store";
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

export interface StubHub {
  readonly url: string;
  readonly commit: string;
  readonly requests: readonly SeenRequest[];
  /** What a request gets instead of the honest answer. */
  behave(script: HubScript): void;
  /** Moves the branch `main` on. */
  move(commit: string, files: Readonly<Record<string, Buffer>>): void;
  /** Tells this address, of another host, as that of the next page, as mirrors do. */
  namePagesAt(origin: string): void;
  /** Lists these paths, too, which have no content. */
  alsoList(paths: readonly string[], size?: number): void;
  [Symbol.asyncDispose](): Promise<void>;
}

const pageLength = 4;

type HubScript = (request: SeenRequest) => HubBehaviour | undefined;

const honest: HubScript = () => undefined;

/** A hub of models on loopback, with a second host to which it redirects for large files. */
export async function startStubHub(
  repository: string,
  files: Readonly<Record<string, Buffer>>,
  { commit = "a".repeat(40), largeFrom = 1_000, private: token = "" } = {},
): Promise<StubHub> {
  const stub = { commit, files, extra: [] as readonly object[], pages: "" };
  const requests: SeenRequest[] = [];
  let script: HubScript = honest;
  const serve = (host: "hub" | "store") => (message: IncomingMessage, response: ServerResponse) => {
    const { authorization, range } = message.headers;
    const seen = { host, path: decodeURIComponent(message.url ?? ""), authorization, range };
    requests.push(seen);
    const behaviour = script(seen);
    if (behaviour?.kind === "status") {
      const after = behaviour.retryAfter;
      response.writeHead(behaviour.status, after === undefined ? {} : { "retry-after": after });
      response.end("no");
    } else if (behaviour?.kind === "redirect") {
      response.writeHead(302, { location: behaviour.location }).end();
    } else if (behaviour?.kind === "body") {
      response.end(behaviour.body);
    } else if (host === "hub" && token !== "" && authorization !== `Bearer ${token}`) {
      response.writeHead(401).end();
    } else answer(seen, behaviour, response);
  };
  const answer = (
    { host, path, range }: SeenRequest,
    behaviour: HubBehaviour | undefined,
    response: ServerResponse,
  ): void => {
    const bare = path.split("?")[0] ?? "";
    if (bare === `/api/models/${repository}/revision/main`) {
      response.end(JSON.stringify({ sha: stub.commit }));
      return;
    }
    if (bare === `/api/models/${repository}/tree/${stub.commit}`) {
      const entries = [...treeOf(stub.files, largeFrom), ...stub.extra];
      const page = Number(/[?&]cursor=(\d+)/.exec(path)?.[1] ?? 0);
      const next = `${stub.pages || origin(hub)}${bare}?recursive=true&cursor=${page + 1}`;
      const more = entries.length > (page + 1) * pageLength;
      response.writeHead(200, more ? { link: `<${next}>; rel="next"` } : {});
      response.end(JSON.stringify(entries.slice(page * pageLength, (page + 1) * pageLength)));
      return;
    }
    const prefix = `/${repository}/resolve/${stub.commit}/`;
    const content = stub.files[bare.slice(prefix.length)];
    if (!bare.startsWith(prefix) || content === undefined) {
      response.writeHead(404).end();
    } else if (host === "hub" && content.length >= largeFrom) {
      response.writeHead(302, { location: `${origin(store)}${encodeURI(bare)}?signed=1` }).end();
    } else send(content, range, behaviour, response);
  };
  const hub = await listen(serve("hub"));
  const store = await listen(serve("store"));
  return {
    url: origin(hub),
    get commit() {
      return stub.commit;
    },
    requests,
    behave: (next) => (script = next),
    move: (next, content) => Object.assign(stub, { commit: next, files: content }),
    namePagesAt: (address) => (stub.pages = address),
    alsoList: (paths, size = 10) => (stub.extra = paths.map((path) => missingEntry(path, size))),
    async [Symbol.asyncDispose]() {
      await Promise.all([hub, store].map(close));
    },
  };
}

function send(
  whole: Buffer,
  range: string | undefined,
  behaviour: HubBehaviour | undefined,
  response: ServerResponse,
): void {
  const other = behaviour?.kind === "other-content";
  const content = other ? Buffer.from(whole.map((byte) => byte ^ 1)) : whole;
  const begin = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
  const partial = range !== undefined && behaviour?.kind !== "ignore-range";
  if (partial && begin >= content.length) {
    response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
    return;
  }
  let bytes = partial ? content.subarray(begin) : content;
  if (behaviour?.kind === "longer") bytes = Buffer.concat([bytes, Buffer.alloc(10)]);
  const from = behaviour?.kind === "other-range" ? begin + 1 : begin;
  const headers = partial
    ? { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` }
    : {};
  const short = behaviour?.kind === "short";
  const length = short ? {} : { "content-length": bytes.length };
  response.writeHead(partial ? 206 : 200, { ...headers, ...length });
  if (behaviour?.kind === "cut-off") {
    response.write(bytes.subarray(0, behaviour.after), () => response.destroy());
  } else if (behaviour?.kind === "stall") response.write(bytes.subarray(0, behaviour.after));
  else response.end(short ? bytes.subarray(0, behaviour.after) : bytes);
}

function treeOf(files: Readonly<Record<string, Buffer>>, largeFrom: number): object[] {
  const entries = Object.entries(files).map(([path, content]) => {
    const blob = createHash("sha1").update(`blob ${content.length}\0`).update(content);
    const entry = { type: "file", path, size: content.length, oid: blob.digest("hex") };
    if (content.length < largeFrom) return entry;
    // What git keeps of a large file is a pointer: its own size and hash say nothing.
    const lfs = { oid: sha256Of(content), size: content.length, pointerSize: 130 };
    return { ...entry, oid: "0".repeat(40), lfs };
  });
  return [{ type: "directory", path: "onnx", size: 0, oid: "0".repeat(40) }, ...entries];
}

function missingEntry(path: string, size: number): object {
  return { type: "file", path, size, oid: "0".repeat(40) };
}

export function sha256Of(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

async function listen(
  serve: (message: IncomingMessage, response: ServerResponse) => void,
): Promise<Server> {
  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function origin(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
