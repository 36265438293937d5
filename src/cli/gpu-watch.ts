import { execFile } from "node:child_process";
import { clearTimeout, setTimeout } from "node:timers";
import type { GpuMeasures } from "../engine/index.ts";

/** Between the end of a look and the next one. */
const pauseMs = 5_000;
/** A driver in trouble can hang its tool. */
const patienceMs = 3_000;
const largestAnswer = 64 * 1024;
/** After so many looks in a row that failed there is nothing to be seen. */
const failuresAllowed = 3;
const mebibyte = 1024 * 1024;

const query = [
  "--query-gpu=index,name,memory.used,memory.total,utilization.gpu",
  "--format=csv,noheader,nounits",
];

export interface GpuWatchOptions {
  /** NVIDIA's tool; another program only in tests. */
  readonly command?: string;
  readonly pauseMs?: number;
}

/** Looks at the NVIDIA GPUs of this machine now and then, while a run works. Where there are none, it gives up. */
export class GpuWatch {
  readonly #command: string;
  readonly #pauseMs: number;
  readonly #stop = new AbortController();
  #seen: readonly GpuMeasures[] = [];
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #isStarted = false;

  constructor(options: GpuWatchOptions = {}) {
    this.#command = options.command ?? "nvidia-smi";
    this.#pauseMs = options.pauseMs ?? pauseMs;
  }

  /** Begins to look; again has no effect. */
  start(): void {
    if (this.#isStarted || this.#stop.signal.aborted) return;
    this.#isStarted = true;
    this.#look();
  }

  /** No program is left running. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#stop.abort();
  }

  /** As they were last seen. */
  read(): readonly GpuMeasures[] {
    return this.#seen;
  }

  #look(): void {
    const options = {
      timeout: patienceMs,
      killSignal: "SIGKILL",
      maxBuffer: largestAnswer,
      signal: this.#stop.signal,
      windowsHide: true,
    } as const;
    execFile(this.#command, query, options, (error, stdout) => {
      if (this.#stop.signal.aborted) return;
      const gpus = error === null ? gpusOf(stdout) : [];
      this.#failures = gpus.length > 0 ? 0 : this.#failures + 1;
      // What is not seen any more is not told as if it were.
      this.#seen = gpus;
      if (isMissing(error) || this.#failures >= failuresAllowed) return;
      this.#timer = setTimeout(() => this.#look(), this.#pauseMs);
      this.#timer.unref();
    });
  }
}

/** `0, NVIDIA H200, 1024, 143771, 97`, in MiB and percent; what a GPU does not tell is `[N/A]`. */
export function gpusOf(text: string): readonly GpuMeasures[] {
  return text.split("\n").flatMap((line) => {
    const cells = line.split(",").map((cell) => cell.trim());
    const [used, total, busy] = cells.slice(-3).map((cell) => numberOf(cell));
    const gpu = cells[0] ?? "";
    if (cells.length < 5 || !/^\d+$/.test(gpu) || used === undefined || total === undefined)
      return [];
    return [
      {
        gpu,
        name: cells.slice(1, -3).join(", "),
        memoryUsedBytes: used * mebibyte,
        memoryTotalBytes: total * mebibyte,
        utilization: busy === undefined ? undefined : busy / 100,
      },
    ];
  });
}

/** Whether a place that computes may be a GPU of this machine: a device of the process, or a server here. */
export function isHere(place: string): boolean {
  if (place === "cpu") return false;
  const host = URL.canParse(place) ? new URL(place).hostname : "";
  // A device, such as `cuda:0`, is no address of a host.
  return host === "" || host === "localhost" || host === "[::1]" || host.startsWith("127.");
}

function numberOf(cell: string): number | undefined {
  return /^\d+(?:\.\d+)?$/.test(cell) ? Number(cell) : undefined;
}

function isMissing(error: Error | null): boolean {
  return error !== null && "code" in error && error.code === "ENOENT";
}
