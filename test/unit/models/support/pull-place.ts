import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExpectedFile } from "../../../../src/models/pull/checksum.ts";
import type { Choice } from "../../../../src/models/pull/choose-files.ts";
import { folderSupply } from "../../../../src/models/pull/folder-supply.ts";
import { hubSupply } from "../../../../src/models/pull/hub-supply.ts";
import { Hub, type HubOptions } from "../../../../src/models/pull/hub.ts";
import { modelSource } from "../../../../src/models/pull/model-source.ts";
import { pullModel, type Pulled, type Wanted } from "../../../../src/models/pull/pull-model.ts";
import { Staging } from "../../../../src/models/pull/staging.ts";

export const repository = "someone/tiny-embedding";

/** The files of a small model; the large ones come from another host than the hub. */
export function modelFiles(seed = 1): Record<string, Buffer> {
  const noise = (length: number): Buffer =>
    Buffer.from(Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 7) >> 3));
  return {
    "README.md": Buffer.from("# A model"),
    "config.json": Buffer.from(`{"hidden_size":64,"seed":${seed}}`),
    "tokenizer.json": noise(5_000),
    "tokenizer_config.json": Buffer.from("{}"),
    "1_Pooling/config.json": Buffer.from("{}"),
    "generation_config.json": Buffer.from("{}"),
    "onnx/model.onnx": noise(3_000),
    "onnx/model.onnx_data": noise(400_000),
    "onnx/model_fp16.onnx": noise(2_000),
    "onnx/model_fp16.onnx_data": noise(200_000),
    "onnx/model_quantized.onnx": noise(90_000),
  };
}

export const fp32: Wanted = { precision: "fp32", patterns: [] };

/** Retries that lose no time. */
const quick = { attempts: 4, baseMs: 1, maxMs: 1, totalMs: 10_000 };

interface PullOptions extends HubOptions {
  readonly wanted?: Wanted;
  readonly signal?: AbortSignal;
  readonly from?: string;
  readonly name?: string;
  readonly into?: string;
}

/** A folder for models that goes with the test, and a way to pull into it. */
export class PullPlace {
  readonly root: string;
  /** Bytes that were told as coming or there, in the last pull, and the files that were chosen. */
  there = 0;
  /** Bytes that were there before, and were read. */
  checked = 0;
  chosen: readonly string[] = [];

  private constructor(root: string) {
    this.root = root;
  }

  static async make(): Promise<PullPlace> {
    return new PullPlace(await realpath(await mkdtemp(join(tmpdir(), "sluice-models-"))));
  }

  get folder(): string {
    return join(this.root, "model");
  }

  async pull(hub: string, options: PullOptions = {}): Promise<Pulled> {
    const { wanted = fp32, signal = new AbortController().signal, from } = options;
    const source = modelSource(options.name ?? repository);
    const folder = options.into ?? this.folder;
    const staging = await Staging.open(folder, { XDG_CACHE_HOME: this.root });
    this.checked = 0;
    this.chosen = [];
    const watcher = {
      checking: (bytes: number) => void (this.checked = bytes),
      chosen: ({ files }: Choice<ExpectedFile>, there: number) => {
        this.there = there;
        this.chosen = [...this.chosen, ...files.map(({ path }) => path)];
      },
      bytes: (count: number) => (this.there += count),
    };
    try {
      const supply =
        from === undefined
          ? await hubSupply(
              new Hub({ endpoint: hub, policy: quick, patienceMs: 10_000, ...options }),
              source,
              signal,
            )
          : await folderSupply(from, source);
      return await pullModel(supply, wanted, staging, watcher, signal);
    } finally {
      staging.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}
