import { cacheKey } from "../cache/index.ts";
import type { Clock, DocumentRef, DocumentRow } from "../contracts/index.ts";
import { isFault } from "../faults/index.ts";
import { readDrafts } from "./drafts.ts";
import type { Pipeline, PipelineSource } from "./pipeline.ts";
import { windowsOf } from "./prepare.ts";
import { staleTargets, type TargetVersion } from "./reconcile.ts";

/** Documents are chunked exactly up to this many bytes; the rest is estimated by its size. */
const exactBytes = 64 * 1024 * 1024;

export interface ChunkFigures {
  readonly chunks: {
    readonly total: number;
    readonly to_embed: number;
    readonly cached: number;
    readonly exact: boolean;
  };
  /** Tokens to embed. */
  readonly tokens: number;
}

/** Counts the chunks that a run would make: by chunking, or by size once that would take too long. */
export class ChunkEstimate {
  readonly #pipeline: Pipeline;
  readonly #space: string;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #bytes = 0;
  #unreadBytes = 0;
  #total = 0;
  #cached = 0;
  #tokens = 0;
  /** Keys that an earlier document of this plan embeds already. */
  readonly #keys = new Set<string>();

  constructor(pipeline: Pipeline, space: string, clock: Clock, signal: AbortSignal) {
    this.#pipeline = pipeline;
    this.#space = space;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Adds a document that has to be opened; tells whether it turned out to be current, or cannot be read. */
  async add(
    source: PipelineSource,
    document: DocumentRef,
    row: DocumentRow | undefined,
    targets: readonly TargetVersion[],
    metadata: string,
  ): Promise<"work" | "current" | "failed"> {
    const size = document.content.sizeBytes ?? 0;
    if (this.#bytes + size > exactBytes) {
      this.#unreadBytes += size;
      return "work";
    }
    this.#bytes += size;
    const isCurrent = (content: string): boolean =>
      staleTargets(row, targets, content, metadata).length === 0;
    const known = row !== undefined && row.content !== "";
    const pipeline = this.#pipeline;
    const options = { pipeline, source, document, known, isCurrent, clock: this.#clock };
    try {
      const reading = await readDrafts(options, this.#signal);
      if (reading.kind === "current") return "current";
      for await (const window of windowsOf(pipeline, { source, document }, reading.drafts)) {
        await this.#count(window);
      }
      return "work";
    } catch (error) {
      if (isFault(error) && error.scope === "document") return "failed";
      throw error;
    }
  }

  /** The figures of all documents added. */
  async finish(): Promise<ChunkFigures> {
    const scale = this.#bytes === 0 ? 1 : (this.#bytes + this.#unreadBytes) / this.#bytes;
    const total = Math.round(this.#total * scale);
    const cached = Math.round(this.#cached * scale);
    const chunks = { total, to_embed: total - cached, cached, exact: this.#unreadBytes === 0 };
    return { chunks, tokens: Math.round(this.#tokens * scale) };
  }

  async #count(
    window: readonly { readonly embedded: string; readonly tokens: number }[],
  ): Promise<void> {
    const { native } = (await this.#pipeline.embedder.open(this.#signal)).dimensions;
    const keys = window.map(({ embedded }) => cacheKey(this.#space, "document", embedded));
    const held = (await this.#pipeline.cache?.get(keys, native)) ?? new Map<string, unknown>();
    for (const [index, { tokens }] of window.entries()) {
      const key = keys[index] ?? "";
      this.#total += 1;
      if (held.has(key) || this.#keys.has(key)) {
        this.#cached += 1;
        continue;
      }
      this.#keys.add(key);
      this.#tokens += tokens;
    }
  }
}
