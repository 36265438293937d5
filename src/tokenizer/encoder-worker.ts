/** The thread that reads a `tokenizer.json` and turns texts into ids; see `encoder-thread.ts`. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { BytePairEncoder } from "./byte-pair-encoder.ts";
import type { FromEncoder, ToEncoder, TokenizerFacts } from "./encoder-messages.ts";
import { largestIdOf } from "./largest-id.ts";
import { specialTokensOf } from "./special-tokens.ts";
import { bytePairVocabularyOf } from "./tokenizer-file.ts";

/** The token that ends every text of Qwen3-Embedding. */
const endOfText = "<|endoftext|>";

let encoder: BytePairEncoder | undefined;

try {
  const bytes = readFileSync((workerData as { readonly path: string }).path);
  send({ kind: "ready", facts: read(bytes) });
} catch (error) {
  send({ kind: "unreadable", reason: error instanceof Error ? error.message : String(error) });
}

parentPort?.on("message", ({ call, texts }: ToEncoder) => {
  const parts = texts.map((text) => encoder?.encode(text) ?? new Int32Array(0));
  const lengths = Int32Array.from(parts, (part) => part.length);
  const ids = new Int32Array(lengths.reduce((sum, length) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    ids.set(part, offset);
    offset += part.length;
  }
  send({ kind: "encoded", call, ids, lengths }, [ids.buffer, lengths.buffer]);
});

function read(bytes: Buffer): TokenizerFacts {
  const file: unknown = JSON.parse(bytes.toString("utf8"));
  const largestId = largestIdOf(file);
  if (largestId === undefined) throw new Error("it has no vocabulary");
  const id = `tokenizer-${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`;
  const vocabulary = bytePairVocabularyOf(file);
  if (vocabulary !== undefined) encoder = new BytePairEncoder(vocabulary);
  const special = specialTokensOf(file);
  const end = vocabulary?.addedIds.get(endOfText);
  return {
    id,
    largestId,
    ...(vocabulary === undefined ? {} : { model: vocabulary.model }),
    ...(special === undefined ? {} : { special }),
    ...(end === undefined ? {} : { endOfText: end }),
  };
}

function send(message: FromEncoder, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}
