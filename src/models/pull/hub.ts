import type { Clock, FaultLike } from "../../contracts/index.ts";
import { Fault, isFault } from "../../faults/index.ts";
import { systemClock } from "../../flow/index.ts";
import { retry, type RetryPolicy } from "../../flow/retry.ts";
import { networkFault, silenceFault, statusFault } from "./hub-faults.ts";

const publicHub = "https://huggingface.co";
const mostRedirects = 5;

export interface HubOptions {
  /** The address of a hub or mirror; the public one by default. May hold a name and password. */
  readonly endpoint?: string;
  readonly token?: string;
  /** A request is given up when nothing has come for this long. */
  readonly patienceMs?: number;
  readonly policy?: RetryPolicy;
  readonly clock?: Clock;
  /** Told of every attempt that failed and will be repeated. */
  readonly onRetry?: (fault: FaultLike, delayMs: number) => void;
}

/** One question to the hub. */
export interface HubRequest {
  /** What is asked for, in words for messages. */
  readonly what: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses besides 2xx that `read` understands. */
  readonly understood?: readonly number[];
}

const usualPolicy: RetryPolicy = { attempts: 6, baseMs: 500, maxMs: 30_000, totalMs: 900_000 };

/**
 * A hub of models, or a mirror of one. The token goes to its own origin only: a redirect to another host gets neither
 * the token nor the password, and no message shows them.
 */
export class Hub {
  /** The address for messages, without credentials. */
  readonly shown: string;
  readonly #base: URL;
  readonly #authorization: string | undefined;
  readonly #patienceMs: number;
  readonly #policy: RetryPolicy;
  readonly #clock: Clock;
  readonly #onRetry: HubOptions["onRetry"];

  constructor(options: HubOptions = {}) {
    const url = parseEndpoint(options.endpoint ?? publicHub);
    this.#authorization = authorizationOf(url, options.token ?? "");
    url.username = "";
    url.password = "";
    this.#base = url;
    this.shown = `${url.origin}${url.pathname}`.replace(/\/+$/, "");
    this.#patienceMs = options.patienceMs ?? 60_000;
    this.#policy = options.policy ?? usualPolicy;
    this.#clock = options.clock ?? systemClock;
    this.#onRetry = options.onRetry;
  }

  /** The hub that the environment names. */
  static of(
    environment: Readonly<Record<string, string | undefined>>,
    options: HubOptions = {},
  ): Hub {
    const { HF_ENDPOINT: endpoint = "", HF_TOKEN: token = "" } = environment;
    return new Hub({ token, ...(endpoint === "" ? {} : { endpoint }), ...options });
  }

  /** An address below the hub's, of parts that are escaped one by one. */
  address(parts: readonly string[], query = ""): URL {
    const url = new URL(this.#base);
    const path = parts.map((part) => encodeURIComponent(part)).join("/");
    url.pathname = `${url.pathname.replace(/\/+$/, "")}/${path}`;
    url.search = query;
    return url;
  }

  /** Whether an address that the hub itself named is its own. */
  owns(url: URL): boolean {
    return url.origin === this.#base.origin;
  }

  /** Asks with `once` and repeats what may help. */
  get<T>(
    request: HubRequest,
    read: (answer: Response, beat: () => void) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    return this.repeat(() => this.once(request, read, signal), signal);
  }

  /** Calls until it succeeds, or trying again does not help, or was tried often enough. */
  repeat<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const options = {
      policy: this.#policy,
      clock: this.#clock,
      random: Math.random,
      ambiguous: true,
      ...(this.#onRetry === undefined ? {} : { onRetry: this.#onRetry }),
    };
    return retry(call, options, signal);
  }

  /**
   * Asks and hands the answer to `read`, which calls `beat` whenever something came. One attempt. Rejects with a fault,
   * or with the signal's reason.
   */
  async once<T>(
    request: HubRequest,
    read: (answer: Response, beat: () => void) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    signal.throwIfAborted();
    const controller = new AbortController();
    const stop = (): void => controller.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    const patienceMs = this.#patienceMs;
    const silent = (): void => controller.abort(silenceFault(request.what, this.shown, patienceMs));
    const timer = setTimeout(silent, patienceMs);
    const beat = (): void => void timer.refresh();
    try {
      const answer = await this.#follow(request, controller.signal);
      beat();
      if (!answer.ok && request.understood?.includes(answer.status) !== true) {
        await answer.body?.cancel();
        throw statusFault(answer, request.what, this.shown);
      }
      return await read(answer, beat);
    } catch (error) {
      if (controller.signal.aborted) throw controller.signal.reason;
      throw isFault(error) ? error : networkFault(error, request.what, this.shown);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
  }

  async #follow(request: HubRequest, signal: AbortSignal): Promise<Response> {
    let url = request.url;
    for (let hop = 0; hop <= mostRedirects; hop += 1) {
      const answer = await fetch(url, {
        headers: this.#headersFor(url, request),
        // Followed here, so that what is secret stays with the hub.
        redirect: "manual",
        signal,
      });
      const { status } = answer;
      const location = answer.headers.get("location");
      if (status < 300 || status >= 400 || status === 304 || location === null) return answer;
      await answer.body?.cancel();
      url = this.#redirected(url, location, request.what);
    }
    throw new Fault(
      "model.invalid",
      `The hub at \`${this.shown}\` redirects ${request.what} in circles. Check \`HF_ENDPOINT\`.`,
    );
  }

  #redirected(from: URL, location: string, what: string): URL {
    const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
    const down = from.protocol === "https:" && to?.protocol !== "https:";
    if (to !== undefined && /^https?:$/.test(to.protocol) && !down) return to;
    throw new Fault(
      "model.invalid",
      `The hub at \`${this.shown}\` redirects ${what} to where it is not safe to go. Check \`HF_ENDPOINT\`.`,
    );
  }

  #headersFor(url: URL, request: HubRequest): Record<string, string> {
    const headers = { "user-agent": "sluice", ...request.headers };
    if (this.#authorization === undefined || !this.owns(url)) return headers;
    return { ...headers, authorization: this.#authorization };
  }
}

function parseEndpoint(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url;
  throw new Fault("config.invalid", "`HF_ENDPOINT` is not an http or https address.");
}

function authorizationOf({ username, password }: URL, token: string): string | undefined {
  const trimmed = token.trim();
  if (!/^[\x21-\x7e]*$/.test(trimmed)) {
    throw new Fault("config.invalid", "`HF_TOKEN` holds characters that no token has.");
  }
  if (trimmed !== "") return `Bearer ${trimmed}`;
  if (username === "" && password === "") return undefined;
  const pair = `${decoded(username)}:${decoded(password)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
