import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../../contracts/index.ts";
import { playScript } from "../script.ts";
import {
  type PineconeBehaviour,
  type PineconeOperation,
  type PineconeRequest,
  type PineconeScript,
  type PineconeSilence,
} from "./behaviour.ts";
import { type Call, type Handler, matchPath, type Route } from "./call.ts";
import {
  type Body,
  keepSilent,
  readBody,
  type Rendered,
  renderAnswer,
  renderRefusal,
  send,
  sendHalf,
} from "./exchange.ts";
import { limits } from "./limits.ts";
import { messages } from "./messages.ts";
import { type Plane, Refusal } from "./refusal.ts";
import { renderScripted } from "./scripted.ts";
import { isCurrentVersion, parseJson, splitUrl } from "./target.ts";
import type { PineconeStats } from "./stats.ts";

/** The operations of a plane. */
export interface ServedPlane {
  readonly kind: Plane;
  readonly routes: Readonly<Partial<Record<PineconeOperation, Route>>>;
  readonly handlers: Readonly<Partial<Record<PineconeOperation, Handler>>>;
}

/** A request on its way to its operation. */
interface Found {
  readonly plane: Plane;
  readonly operation: PineconeOperation;
  readonly handler: Handler;
  readonly call: Call;
  readonly body: Body;
  readonly request: PineconeRequest;
}

const none = { requests: 0, bytes: 0, maxConcurrent: 0 };

/** Takes requests of all planes: finds the operation, plays the script, answers. */
export class Service {
  readonly closing = new AbortController();
  readonly #clock: Clock;
  readonly #apiKey: string | undefined;
  #play: (request: PineconeRequest) => PineconeBehaviour | undefined;
  readonly #late = new Set<Promise<void>>();
  #counts = { ...none };
  #byOperation: Partial<Record<PineconeOperation, number>> = {};
  #number = 0;
  #concurrent = 0;

  constructor(clock: Clock, apiKey: string | undefined, script: PineconeScript | undefined) {
    this.#clock = clock;
    this.#apiKey = apiKey;
    this.#play = playScript(script);
  }

  behave(script: PineconeScript | undefined): void {
    this.#play = playScript(script);
  }

  reset(): void {
    this.#counts = { ...none };
    this.#byOperation = {};
  }

  stats(): PineconeStats {
    return { ...this.#counts, byOperation: { ...this.#byOperation } };
  }

  async landed(): Promise<void> {
    while (this.#late.size > 0) await Promise.all(this.#late);
  }

  async serve(
    plane: ServedPlane,
    index: string | undefined,
    message: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const body = await readBody(message);
    this.#number += 1;
    response.setHeader("x-pinecone-request-id", String(this.#number));
    const found = this.#find(plane, index, message, body);
    if (found instanceof Refusal) return send(response, renderRefusal(plane.kind, found));
    this.#count(found);
    this.#concurrent += 1;
    this.#counts.maxConcurrent = Math.max(this.#counts.maxConcurrent, this.#concurrent);
    try {
      await this.#treat(found, this.#play(found.request), response);
    } finally {
      this.#concurrent -= 1;
    }
  }

  #count({ operation, body }: Found): void {
    this.#counts.requests += 1;
    this.#counts.bytes += body.bytes;
    this.#byOperation[operation] = (this.#byOperation[operation] ?? 0) + 1;
  }

  /** The operation that a request asks for; a refusal when there is none, or the key or the version is wrong. */
  #find(
    plane: ServedPlane,
    index: string | undefined,
    message: IncomingMessage,
    body: Body,
  ): Found | Refusal {
    const key = message.headers["api-key"];
    if (key === undefined || key === "" || (this.#apiKey !== undefined && key !== this.#apiKey)) {
      return new Refusal(401, messages.unauthorized);
    }
    const isCurrent = isCurrentVersion(message.headers["x-pinecone-api-version"]);
    if (isCurrent === undefined) return new Refusal(400, "Invalid API version");
    const url = splitUrl(message.url ?? "/");
    if (url === undefined) return new Refusal(400, "Invalid path");
    const { path, query } = url;
    const routes = Object.entries(plane.routes) as [PineconeOperation, Route][];
    const there = routes.filter(([, route]) => matchPath(route.path, path) !== undefined);
    if (there.length === 0) return new Refusal(404, "Not Found");
    const [operation, route] = there.find(([, { method }]) => method === message.method) ?? [];
    const handler = operation && plane.handlers[operation];
    if (operation === undefined || route === undefined || handler === undefined) {
      return new Refusal(405, "Method Not Allowed");
    }
    const name = matchPath(route.path, path) ?? "";
    const json = parseJson(body.text);
    const request = {
      number: this.#number,
      operation,
      index: index ?? (name === "" ? undefined : name),
      body: json,
      headers: message.headers,
    };
    const call = { name, query, body: json ?? {}, isCurrent };
    return { plane: plane.kind, operation, handler, call, body, request };
  }

  async #treat(
    found: Found,
    behaviour: PineconeBehaviour | undefined,
    response: ServerResponse,
  ): Promise<void> {
    switch (behaviour?.kind) {
      case "status":
      case "rate-limit":
        return send(response, scriptedAnswer(found, behaviour));
      case "hang":
      case "reset":
        return keepSilent(response, behaviour.kind, this.closing.signal);
      case "lost-answer":
        await run(found);
        return this.#silence(found, behaviour.silence, response);
      case "late":
        this.#landLate(found, behaviour.ms);
        return this.#silence(found, behaviour.silence, response);
      case "cut-off":
        return sendHalf(response, await run(found));
      default:
        if (behaviour?.kind === "slow") {
          await this.#clock.sleep(behaviour.ms, this.closing.signal);
        }
        return send(response, await run(found));
    }
  }

  async #silence(
    found: Found,
    how: PineconeSilence | undefined,
    response: ServerResponse,
  ): Promise<void> {
    if (typeof how !== "number") return keepSilent(response, how ?? "reset", this.closing.signal);
    send(response, scriptedAnswer(found, { kind: "status", status: how }));
  }

  #landLate(found: Found, milliseconds: number): void {
    const landing = this.#clock
      .sleep(milliseconds, this.closing.signal)
      .then(() => run(found))
      // When the emulator closes first, it never lands.
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => this.#late.delete(landing));
    this.#late.add(landing);
  }
}

/** Serves a request. What goes wrong within is told as the service tells its own mistakes. */
async function run({ plane, operation, handler, call, body, request }: Found): Promise<Rendered> {
  try {
    checkSize(plane, operation, body);
    if (request.body === undefined) throw new Refusal(400, "The body is not JSON");
    return renderAnswer(await handler(call));
  } catch (error) {
    const refusal = error instanceof Refusal ? error : new Refusal(500, "Internal server error");
    return renderRefusal(plane, refusal);
  }
}

function checkSize(plane: Plane, operation: PineconeOperation, { bytes }: Body): void {
  if (bytes > limits.messageBytes) {
    throw plane === "data"
      ? new Refusal(400, messages.messageSize(bytes), 11)
      : new Refusal(413, messages.messageSize(bytes));
  }
  if (operation === "upsert" && bytes > limits.upsertBytes) {
    throw new Refusal(400, messages.upsertSize(bytes));
  }
}

function scriptedAnswer(
  { plane, request }: Found,
  behaviour: Parameters<typeof renderScripted>[2],
): Rendered {
  return renderScripted(plane, request, behaviour);
}
