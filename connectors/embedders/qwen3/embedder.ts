import type {
  ComponentNote,
  ConnectorContext,
  Embedder,
  EmbedderLimits,
  EmbeddingModel,
  Embeddings,
  PlaceMeasures,
} from "../../../src/contracts/index.ts";
import { assert, Fault, isFault } from "../../../src/faults/index.ts";
import { raceAbort } from "../../../src/flow/index.ts";
import { LazyTokenizer } from "../../../src/tokenizer/index.ts";
import type { BatchLimits } from "./batches.ts";
import type { Qwen3Config } from "./config.ts";
import { embedRows } from "./embed-rows.ts";
import { describeModel, placeOf, type Templates, templatesOf } from "./model/describe-model.ts";
import { type ModelFolder, openModelFolder } from "./model/model-folder.ts";
import { partsOf, RowMaker, tokensOf } from "./rows.ts";
import { Runtime } from "./runtime/index.ts";
import { selfTestRows } from "./self-test.ts";

/** What `check` embeds. */
const probeText = "What is a vector index?";
/** A call has as many batches: sorted by length, they have little padding, and the next call fills the gaps. */
const batchesPerCall = 4;
/** Attention on the CPU takes memory with the square of a text, and large batches win it nothing. */
const cpuBatchTokens = 4_096;
const usualBatchTokens = 16_384;

interface Opened {
  readonly model: EmbeddingModel;
  readonly runtime: Runtime;
  readonly rows: RowMaker;
}

/** Embeds in process, with a model in ONNX format. */
export class Qwen3Embedder implements Embedder {
  readonly tokenizer: LazyTokenizer;
  /** Present when texts that are too long are embedded in parts. */
  readonly parts?: NonNullable<Embedder["parts"]>;
  readonly #config: Qwen3Config;
  readonly #context: ConnectorContext;
  readonly #templates: Templates;
  readonly #workerFile: URL | undefined;
  readonly #closed = new AbortController();
  #folder: Promise<ModelFolder> | undefined;
  #opening: Promise<Opened> | undefined;
  #opened: Opened | undefined;

  /** The file of the threads differs only in tests. */
  constructor(config: Qwen3Config, context: ConnectorContext, workerFile?: URL) {
    this.#config = config;
    this.#workerFile = workerFile;
    this.#context = context;
    this.#templates = templatesOf(config);
    this.tokenizer = new LazyTokenizer(
      config.model,
      async () => (await this.#readFolder()).encoder.tokenizer,
    );
    if (config.oversize === "split")
      this.parts = (texts, signal) => this.#countParts(texts, signal);
  }

  /** Several batches of every device, so that lengths can be sorted, and a call more than devices. */
  get limits(): EmbedderLimits {
    const batch = this.#batchLimits();
    return {
      textsPerCall: batch.texts * batchesPerCall,
      tokensPerCall: batch.tokens * batchesPerCall,
      concurrentCalls: (this.#opened?.runtime.devices.length ?? 1) + 1,
      maxWaitMs: this.#config.max_wait_ms,
    };
  }

  async open(signal: AbortSignal): Promise<EmbeddingModel> {
    return (await this.#ready(signal)).model;
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.embed([probeText], "document", signal);
  }

  notes(): readonly ComponentNote[] {
    return this.#opened?.runtime.notes() ?? [];
  }

  measures(): readonly PlaceMeasures[] {
    const { tokens, texts } = this.#batchLimits();
    return (this.#opened?.runtime.measures() ?? []).map((place) => ({
      ...place,
      // A device may have less room than the settings allow.
      batchTokens: Math.min(tokens, place.batchTokens),
      batchTexts: Math.min(texts, place.batchTexts),
    }));
  }

  async embed(
    texts: readonly string[],
    purpose: "document" | "query",
    signal: AbortSignal,
  ): Promise<Embeddings> {
    signal.throwIfAborted();
    if (texts.length === 0) return { vectors: [] };
    const { runtime, rows: maker, model } = await this.#ready(signal);
    const rows = await maker.rows(texts, this.#templates[purpose], signal);
    try {
      const call = { rows, texts: texts.length, native: model.dimensions.native };
      const vectors = await embedRows(call, runtime, this.#batchLimits(), signal);
      return { vectors, tokens: tokensOf(rows) };
    } catch (error) {
      throw adviseFor(error, texts.length);
    }
  }

  async close(): Promise<void> {
    this.#closed.abort(new Fault("aborted", "The embedder was closed."));
    const opened = await this.#opening?.catch(() => undefined);
    await opened?.runtime.close();
    const folder = await this.#folder?.catch(() => undefined);
    await folder?.encoder.close();
  }

  /** Opens once; what failed is tried again by the next call. */
  async #ready(signal: AbortSignal): Promise<Opened> {
    signal.throwIfAborted();
    this.#throwIfClosed();
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return await raceAbort(this.#opening, signal);
  }

  /** Goes on when the call that began it is aborted: another one may wait for it. Only closing ends it. */
  async #open(): Promise<Opened> {
    const { signal } = this.#closed;
    const folder = await this.#readFolder();
    await this.tokenizer.ready();
    const { device, device_ids: deviceIds, threads, oversize } = this.#config;
    const runtime = await Runtime.open(
      {
        model: folder.graph,
        device,
        deviceIds,
        ...(threads === undefined ? {} : { threads }),
        selfTest: await selfTestRows(folder, signal),
        clock: this.#context.clock,
      },
      signal,
      this.#workerFile,
    );
    if (signal.aborted) {
      await runtime.close();
      this.#throwIfClosed();
    }
    const opened: Opened = {
      model: describeModel(this.#config, folder, this.#templates),
      runtime,
      rows: new RowMaker(folder, oversize === "split"),
    };
    this.#opened = opened;
    return opened;
  }

  #readFolder(): Promise<ModelFolder> {
    this.#throwIfClosed();
    this.#folder ??= this.#openFolder().catch((error: unknown) => {
      this.#folder = undefined;
      throw error;
    });
    return this.#folder;
  }

  async #openFolder(): Promise<ModelFolder> {
    return openModelFolder(placeOf(this.#config, this.#context.folder), this.#closed.signal);
  }

  async #countParts(texts: readonly string[], signal: AbortSignal): Promise<readonly number[]> {
    const { rows } = await this.#ready(signal);
    return partsOf(await rows.rows(texts, this.#templates.document, signal), texts.length);
  }

  #batchLimits(): BatchLimits {
    const { max_batch_tokens: tokens, max_batch_texts: texts } = this.#config;
    const onCpu = this.#opened?.runtime.devices.every((device) => device === "cpu") === true;
    return { texts, tokens: tokens ?? (onCpu ? cpuBatchTokens : usualBatchTokens) };
  }

  #throwIfClosed(): void {
    const reason: unknown = this.#closed.signal.reason;
    if (!this.#closed.signal.aborted) return;
    assert(isFault(reason), "An embedder is closed with a fault.");
    throw reason;
  }
}

/** A text at fault among several is looked for by halving the call; alone, it is the one. */
function adviseFor(error: unknown, texts: number): unknown {
  if (!(error instanceof Fault) || error.scope !== "document") return error;
  const { code, message, cause } = error;
  return new Fault(code, message, { cause, retry: texts > 1 ? "smaller" : "never" });
}
