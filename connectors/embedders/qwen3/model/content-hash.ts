import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { DataRange } from "./external-data.ts";

/** Graphs up to this size are read whole. Larger ones hold their weights themselves. */
const wholeBytes = 64 * 1024 * 1024;
const sampleBytes = 4_096;
/** Samples of one file, or tensors that are sampled. */
const mostSamples = 4_096;

/**
 * Names a model by its content, without reading gigabytes: the tokenizer, the whole graph, and of every tensor its
 * place, its first and its last 4 KiB. Any training changes every tensor; what could still slip through, the probe of
 * a run finds. Names of files do not count.
 */
export async function contentHash(
  tokenizer: string,
  graph: { readonly path: string; readonly size: number },
  data: readonly DataRange[],
): Promise<string> {
  const hash = createHash("sha256").update(`qwen3 1 ${tokenizer} ${graph.size}\n`);
  await hashRanges(hash, samplesOf(graph));
  const step = Math.ceil(data.length / mostSamples);
  const sampled = data.filter((_, index) => index % step === 0);
  for (const { offset, length } of sampled) hash.update(`${offset} ${length}\n`);
  await hashRanges(hash, sampled.flatMap(endsOf));
  return hash.digest("hex").slice(0, 24);
}

/** Parts of a graph: all of it in order, or evenly spaced samples. */
function samplesOf({ path, size }: { readonly path: string; readonly size: number }): DataRange[] {
  const whole = size <= wholeBytes;
  const length = whole ? 1024 * 1024 : sampleBytes;
  const step = whole ? length : Math.max(length, Math.floor(size / mostSamples));
  const ranges: DataRange[] = [];
  for (let offset = 0; offset < size; offset += step) {
    ranges.push({ path, offset, length: Math.min(length, size - offset) });
  }
  return ranges;
}

function endsOf(range: DataRange): DataRange[] {
  const { path, offset, length } = range;
  if (length <= 2 * sampleBytes) return [range];
  return [
    { path, offset, length: sampleBytes },
    { path, offset: offset + length - sampleBytes, length: sampleBytes },
  ];
}

async function hashRanges(
  hash: ReturnType<typeof createHash>,
  ranges: readonly DataRange[],
): Promise<void> {
  for (let index = 0; index < ranges.length;) {
    const path = ranges[index]?.path ?? "";
    const file = await open(path, "r");
    try {
      for (let range = ranges[index]; range?.path === path; range = ranges[(index += 1)]) {
        const bytes = Buffer.alloc(range.length);
        const { bytesRead } = await file.read(bytes, 0, range.length, range.offset);
        hash.update(bytes.subarray(0, bytesRead));
      }
    } finally {
      await file.close();
    }
  }
}
