import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { killGroup, lastLines } from "./execute.ts";
import { freePorts } from "./free-ports.ts";
import { guardGroup, guardPath } from "./guard.ts";
import type { Ports, ServerKind, ServerPlace } from "./server-kind.ts";

/** How long one question whether the server is ready may take. */
const questionMs = 5_000;
const betweenQuestionsMs = 50;
/** Somebody else may take a port between our look and the server's own. */
const attempts = 3;
const portTaken = /address already in use|EADDRINUSE|failed to bind|bind failed|couldn.t bind/i;

export interface StartOptions {
  /** How long the server may take until it does its work. */
  readonly readyMs?: number;
  /** How long it may take to end when it is asked to, before it is killed. */
  readonly stopMs?: number;
}

/**
 * A server of our own on 127.0.0.1, with its data in a scratch folder. It ends with this process at the latest,
 * however this process ends.
 */
export class RunningServer<Port extends string = string> {
  readonly #kind: ServerKind<Port>;
  readonly #place: ServerPlace<Port>;
  readonly #readyMs: number;
  readonly #stopMs: number;
  #process: ChildProcess | undefined;
  #stopping: Promise<void> | undefined;

  private constructor(
    kind: ServerKind<Port>,
    place: ServerPlace<Port>,
    { readyMs = 120_000, stopMs = 10_000 }: StartOptions,
  ) {
    this.#kind = kind;
    this.#place = place;
    this.#readyMs = readyMs;
    this.#stopMs = stopMs;
  }

  /** Starts an installed server and resolves when it is ready. Nothing is left of one that does not get there. */
  static async start<Port extends string>(
    kind: ServerKind<Port>,
    installed: string,
    options: StartOptions = {},
  ): Promise<RunningServer<Port>> {
    for (let attempt = 1; ; attempt += 1) {
      const scratch = await mkdtemp(join(tmpdir(), `sluice-${kind.name}-`));
      guardPath(scratch);
      const ports = await choosePorts(kind);
      const server = new RunningServer(kind, { installed, scratch, ports }, options);
      try {
        await server.#launch();
        return server;
      } catch (error) {
        const isUnlucky = portTaken.test(await server.#readLog());
        await server.stop();
        if (!isUnlucky || attempt === attempts) throw error;
      }
    }
  }

  get name(): string {
    return this.#kind.name;
  }

  get version(): string {
    return this.#kind.version;
  }

  /** What a client is given: a URL, or host and port. The same after `restart`. */
  get address(): string {
    return this.#kind.address(this.#place.ports);
  }

  get ports(): Ports<Port> {
    return this.#place.ports;
  }

  /** Holds data, settings and `server.log`. */
  get scratch(): string {
    return this.#place.scratch;
  }

  /** Undefined while the server is down. */
  get processId(): number | undefined {
    return this.#process?.pid;
  }

  /** Ends the server as a power cut would, with `kill -9`. Its data stays, see `restart`. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Starts the server again on its data, at the same address; asks it to end first if it runs. */
  async restart(): Promise<void> {
    if (this.#stopping !== undefined) throw new Error(`The server ${this.name} has been stopped.`);
    await this.#end(this.#kind.stopSignal);
    await this.#launch();
  }

  /** Ends the server and removes its data. May be called twice. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<void> {
    // What it would put in order goes anyway.
    await this.#end("SIGKILL");
    await remove(this.scratch);
  }

  async #launch(): Promise<void> {
    const { program, args, environment = {} } = await this.#kind.launch(this.#place);
    const temporary = join(this.scratch, "tmp");
    await mkdir(temporary, { recursive: true });
    const { PATH = "" } = process.env;
    const log = openSync(this.#log, "a");
    const child = spawn(program, args, {
      cwd: this.scratch,
      env: { PATH, HOME: this.scratch, TMPDIR: temporary, ...environment },
      stdio: ["ignore", log, log],
      detached: true,
    });
    closeSync(log);
    const { pid } = child;
    if (pid === undefined) {
      const [error] = await once(child, "error");
      throw new Error(`The server ${this.name} cannot be started.`, { cause: error });
    }
    guardGroup(pid);
    const litter = this.#kind.litter?.(this.#place, pid) ?? [];
    for (const path of litter) guardPath(path);
    this.#process = child;
    child.once("exit", () => {
      killGroup(pid);
      guardGroup(pid, false);
      void Promise.all(litter.map(remove));
      if (this.#process === child) this.#process = undefined;
    });
    await this.#ready(child);
  }

  async #ready(child: ChildProcess): Promise<void> {
    const end = performance.now() + this.#readyMs;
    let reason: unknown;
    while (performance.now() < end) {
      const isReady = await this.#kind.ready(this.#place, AbortSignal.timeout(questionMs)).then(
        () => true,
        (error: unknown) => {
          reason = error;
          return false;
        },
      );
      // Looked at first: where ours could not listen, somebody else's server may have answered.
      if (child.exitCode !== null || child.signalCode !== null) {
        throw await this.#failure(`ended with ${child.exitCode ?? child.signalCode}`, reason);
      }
      if (isReady) return;
      await wait(betweenQuestionsMs);
    }
    throw await this.#failure(`was not ready after ${this.#readyMs / 1000} s`, reason);
  }

  async #failure(what: string, cause: unknown): Promise<Error> {
    const end = lastLines(await this.#readLog(), 20);
    const message = `The server ${this.name} ${what}. Its log ends with:\n${end}`;
    return new Error(message, { cause });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child?.pid === undefined) return;
    const exited = once(child, "exit");
    killGroup(child.pid, signal);
    if (signal !== "SIGKILL") {
      const overdue = setTimeout(killGroup, this.#stopMs, child.pid);
      await exited;
      clearTimeout(overdue);
    }
    await exited;
  }

  get #log(): string {
    return join(this.scratch, "server.log");
  }

  #readLog(): Promise<string> {
    return readFile(this.#log, "utf8");
  }
}

async function choosePorts<Port extends string>(kind: ServerKind<Port>): Promise<Ports<Port>> {
  const free = await freePorts(kind.portNames.length);
  const named = kind.portNames.map((name, index) => [name, free[index]]);
  return Object.fromEntries(named) as Ports<Port>;
}

async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 10 });
  guardPath(path, false);
}
