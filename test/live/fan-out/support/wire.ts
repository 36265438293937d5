import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { freePorts } from "../../../../scripts/servers/free-ports.ts";

/** What happens between clients and a server, until it is lifted. */
export type WireFault =
  /** Connections are cut, and new ones are refused. */
  | { readonly kind: "refuse" }
  /** Of what a client sends next, the first half arrives; then the connection is reset on both sides. */
  | { readonly kind: "reset" }
  /** Connections stay open, and nothing passes. */
  | { readonly kind: "black-hole" }
  /** Every answer takes so much longer. */
  | { readonly kind: "latency"; readonly ms: number }
  /** The server's ends of open connections are closed at once, and clients learn of it so much later. */
  | { readonly kind: "slow-close"; readonly ms: number }
  /** What is sent arrives, and no answer comes back; the connection is reset a moment after the answer was due. */
  | { readonly kind: "lost-answer" }
  /**
   * A write arrives when it is let go, see `land`; that the client gave up meanwhile never does, and no answer comes
   * back. What is no write passes.
   */
  | { readonly kind: "late" }
  /** What is sent arrives when the fault is lifted, and all goes on as if it had been slow. */
  | { readonly kind: "hold" };

/** How long a lost answer is waited for before the reset: by then all of the request has arrived. */
const answerMs = 300;
/** What a client sends within this time after the first byte that is late, it has not given up yet. */
const lateWindowMs = 2_000;
/** The head of a write may come alone; so long does it take to see that nothing follows. */
const headMs = 50;
/** A write of vectors has more bytes than this; other requests have less. */
const smallestWriteBytes = 2_000;

/** One connection: the client's end and the server's. */
interface Link {
  readonly inside: Socket;
  readonly outside: Socket;
  /** `deaf`: no answer passes any more; `dead`: nothing does, whatever becomes of the fault. */
  state: "open" | "deaf" | "dead";
  /** What arrives late, or when it is let go. */
  readonly held: Buffer[];
  heldSince: number | undefined;
}

/** A port on 127.0.0.1 behind which a server stands, with a switch for faults that acts at once. */
export class Wire {
  readonly port: number;
  #upstream: number;
  readonly #links = new Set<Link>();
  /** Those with something that is late. */
  readonly #late = new Set<Link>();
  #server: Server | undefined;
  #fault: WireFault | undefined;
  /** A fault that begins with the next write. */
  #armed: WireFault | undefined;
  #struck = 0;

  private constructor(upstream: number, port: number) {
    this.#upstream = upstream;
    this.port = port;
  }

  /** Lets everything through to a port on 127.0.0.1, until told otherwise. */
  static async open(upstream: number): Promise<Wire> {
    const [port = 0] = await freePorts(1);
    const wire = new Wire(upstream, port);
    await wire.#listen();
    return wire;
  }

  /** How often the fault, or the last one, has met something that was sent. */
  get struck(): number {
    return this.#struck;
  }

  /** Has a fault begin when the next write is sent. */
  breakNextWrite(fault: WireFault): void {
    this.#struck = 0;
    this.#armed = fault;
  }

  /** Holds for connections that are open, and for new ones; no byte passes between the call and the fault. */
  break(fault: WireFault): void {
    this.#fault = fault;
    this.#armed = undefined;
    this.#struck = 0;
    if (fault.kind === "refuse") {
      // Those that are refused come to nobody's notice.
      this.#struck = 1;
      this.#server?.close();
      this.#server = undefined;
      for (const link of this.#links) {
        link.state = "dead";
        this.#reset(link);
      }
    }
    if (fault.kind === "slow-close")
      for (const link of this.#links) this.#closeSlowly(link, fault.ms);
  }

  /** Lets everything through again, on new connections. What is late stays so. */
  async mend(): Promise<void> {
    const held = this.#fault?.kind === "hold";
    this.#fault = undefined;
    this.#armed = undefined;
    for (const link of this.#links) {
      if (held) link.outside.write(Buffer.concat(link.held.splice(0)));
      else link.inside.destroy();
    }
    if (this.#server === undefined) await this.#listen();
  }

  /** Lets go what is late; tells whether there was anything. */
  land(): boolean {
    const landing = [...this.#late];
    this.#late.clear();
    for (const { outside, held } of landing) outside.write(Buffer.concat(held.splice(0)));
    return landing.length > 0;
  }

  /** New connections lead to another port on 127.0.0.1, and what is open is cut. */
  lead(upstream: number): void {
    this.#upstream = upstream;
    for (const link of this.#links) this.#reset(link);
  }

  async close(): Promise<void> {
    const closed = this.#server === undefined ? undefined : once(this.#server, "close");
    this.#server?.close();
    for (const { inside, outside } of this.#links) {
      inside.destroy();
      outside.destroy();
    }
    await closed;
  }

  async #listen(): Promise<void> {
    const server = createServer((inside) => this.#accept(inside));
    server.listen(this.port, "127.0.0.1");
    await once(server, "listening");
    this.#server = server;
  }

  #accept(inside: Socket): void {
    const outside = connect(this.#upstream, "127.0.0.1");
    const link: Link = { inside, outside, state: "open", held: [], heldSince: undefined };
    this.#links.add(link);
    for (const socket of [inside, outside]) socket.setNoDelay(true).on("error", () => {});
    inside.on("data", (bytes) => this.#sent(link, bytes));
    outside.on("data", (bytes) => this.#answered(link, bytes));
    inside.on("close", () => {
      // A server that is told that the client has gone may stop what it does.
      if (link.state !== "deaf") outside.destroy();
      if (outside.destroyed) this.#links.delete(link);
    });
    outside.on("close", () => {
      if (link.state === "open") inside.destroy();
      if (inside.destroyed) this.#links.delete(link);
    });
  }

  #sent(link: Link, bytes: Buffer): void {
    if (this.#armed !== undefined && bytes.length > smallestWriteBytes) this.break(this.#armed);
    const fault = this.#fault;
    if (link.state === "dead") {
      if (fault?.kind === "slow-close") this.#struck += 1;
      return;
    }
    if (link.heldSince !== undefined || fault?.kind === "late") {
      return this.#keep(link, bytes);
    }
    switch (fault?.kind) {
      case "reset":
        this.#struck += 1;
        link.state = "dead";
        link.outside.write(bytes.subarray(0, bytes.length / 2), () => this.#reset(link));
        return;
      case "black-hole":
        this.#struck += 1;
        link.state = "dead";
        return;
      case "hold":
        this.#struck += 1;
        link.held.push(bytes);
        return;
      default:
        link.outside.write(bytes);
    }
  }

  #answered(link: Link, bytes: Buffer): void {
    if (link.state !== "open") return;
    const fault = this.#fault;
    switch (fault?.kind) {
      case "black-hole":
        link.state = "dead";
        return;
      case "lost-answer":
        this.#struck += 1;
        link.state = "deaf";
        setTimeout(() => link.inside.resetAndDestroy(), answerMs);
        return;
      case "latency":
        this.#struck += 1;
        setTimeout(() => link.inside.write(bytes), fault.ms);
        return;
      default:
        link.inside.write(bytes);
    }
  }

  /** Keeps a write for later, and everything else for a moment; what comes long after the write is lost. */
  #keep(link: Link, bytes: Buffer): void {
    const now = performance.now();
    if (link.heldSince !== undefined && now - link.heldSince > lateWindowMs) return;
    link.held.push(bytes);
    if (link.heldSince !== undefined) return;
    if (lengthOf(link.held) > smallestWriteBytes) {
      this.#struck += 1;
      link.heldSince = now;
      link.state = "deaf";
      this.#late.add(link);
    } else if (link.held.length === 1) {
      setTimeout(() => {
        if (link.heldSince === undefined) link.outside.write(Buffer.concat(link.held.splice(0)));
      }, headMs);
    }
  }

  #closeSlowly(link: Link, ms: number): void {
    link.state = "dead";
    link.outside.destroy();
    setTimeout(() => link.inside.destroy(), ms);
  }

  #reset(link: Link): void {
    link.inside.resetAndDestroy();
    link.outside.resetAndDestroy();
  }
}

function lengthOf(parts: readonly Buffer[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
