import { existsSync, globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createLexicalEmbedder } from "../connectors/embedders/lexical/embedder.ts";
import type { BenchRow } from "./row.ts";

/** Texts with questions and how well each text answers them. */
export interface Collection {
  readonly documents: ReadonlyMap<string, string>;
  readonly queries: readonly {
    readonly text: string;
    /** Document to gain, from 1 (slight) to 4 (complete answer). */
    readonly gains: ReadonlyMap<string, number>;
  }[];
}

const files = { documents: "cran.all.1400", queries: "cran.qry", judgements: "cranqrel" };
const root = join(import.meta.dirname, "..");

/**
 * Where the Cranfield collection lies: the folder that `SLUICE_CRANFIELD` names, or `data/cranfield` in this
 * repository or in a folder beside it. Undefined when it is nowhere; it is not part of the project.
 */
export function findCranfield(): string | undefined {
  const named = process.env.SLUICE_CRANFIELD;
  const beside = globSync("../*/data/cranfield", { cwd: root }).toSorted();
  const places = [named, "data/cranfield", ...beside].filter((place) => place !== undefined);
  return places
    .map((place) => resolve(root, place))
    .find((place) => Object.values(files).every((file) => existsSync(join(place, file))));
}

/** Reads the collection. Queries are counted by their order, as the judgements do. */
export function readCranfield(folder: string): Collection {
  const read = (file: string): string => readFileSync(join(folder, file), "utf8");
  const gains = new Map<number, Map<string, number>>();
  for (const line of read(files.judgements).split("\n")) {
    const [query = 0, , document = 0, gain = 0] = line.trim().split(/\s+/).map(Number);
    // Other codes than 1 to 4 are not judgements.
    if (!(gain >= 1 && gain <= 4)) continue;
    const known = gains.get(query) ?? new Map<string, number>();
    gains.set(query, known.set(String(document), gain));
  }
  const queries = records(read(files.queries)).map(({ text }, index) => ({
    text,
    gains: gains.get(index + 1) ?? new Map<string, number>(),
  }));
  const documents = records(read(files.documents)).map(({ id, text }) => [id, text] as const);
  return { documents: new Map(documents), queries };
}

/** The id and the text (`.W`, which begins with the title) of each record. */
function records(file: string): { readonly id: string; readonly text: string }[] {
  return file
    .split(/^\.I /m)
    .slice(1)
    .map((record) => {
      const [head = "", text = ""] = record.split(/^\.W\s*$/m);
      return { id: String(Number.parseInt(head, 10)), text: text.trim() };
    });
}

/** Mean nDCG@10 with linear gains; `rank` gives the ids of the best ten documents. */
export function meanNdcg(
  collection: Collection,
  rank: (query: number) => readonly string[],
): number {
  const scores = collection.queries.flatMap(({ gains }, query) => {
    const ideal = discounted([...gains.values()].toSorted((a, b) => b - a));
    if (ideal === 0) return [];
    return [discounted(rank(query).map((id) => gains.get(id) ?? 0)) / ideal];
  });
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

function discounted(gains: readonly number[]): number {
  return gains.slice(0, 10).reduce((sum, gain, place) => sum + gain / Math.log2(place + 2), 0);
}

/** nDCG@10 of the lexical embedder's vectors, cut to `dimension` and compared by cosine. */
export async function lexicalNdcg(
  collection: Collection,
  dimensions: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const embedder = createLexicalEmbedder({ native_dimension: 1024 });
  const { signal } = new AbortController();
  const ids = [...collection.documents.keys()];
  const texts = [...collection.documents.values()];
  const questions = collection.queries.map(({ text }) => text);
  const documents = (await embedder.embed(texts, "document", signal)).vectors;
  const queries = (await embedder.embed(questions, "query", signal)).vectors;
  return new Map(
    dimensions.map((dimension) => {
      const cut = documents.map((vector) => normalized(vector.subarray(0, dimension)));
      return [dimension, meanNdcg(collection, (query) => best(queries[query]!, cut, ids))];
    }),
  );
}

function normalized(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, number) => sum + number * number, 0));
  return vector.map((number) => number / length);
}

function best(
  query: Float32Array,
  documents: readonly Float32Array[],
  ids: readonly string[],
): readonly string[] {
  const scores = Float64Array.from(documents, (vector) => {
    let score = 0;
    for (let index = 0; index < vector.length; index += 1) score += vector[index]! * query[index]!;
    return score;
  });
  return ids
    .map((id, index) => ({ id, score: scores[index]! }))
    .toSorted((a, b) => b.score - a.score)
    .slice(0, 10)
    .map(({ id }) => id);
}

function words(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

/** nDCG@10 of BM25 (k1 1.2, b 0.75) on lower-case words, to compare with. */
export function bm25Ndcg(collection: Collection): number {
  const documents = [...collection.documents].map(([id, text]) => ({ id, words: words(text) }));
  const mean = documents.reduce((sum, one) => sum + one.words.length, 0) / documents.length;
  const postings = new Map<string, Map<string, number>>();
  for (const { id, words: list } of documents) {
    const norm = 1.2 * (0.25 + (0.75 * list.length) / mean);
    for (const [word, { length }] of Map.groupBy(list, (one) => one)) {
      const posting = postings.get(word) ?? new Map<string, number>();
      postings.set(word, posting.set(id, (length * 2.2) / (length + norm)));
    }
  }
  return meanNdcg(collection, (query) => {
    const scores = new Map<string, number>();
    for (const word of words(collection.queries[query]!.text)) {
      const posting = postings.get(word) ?? new Map<string, number>();
      const rarity = Math.log(1 + (documents.length - posting.size + 0.5) / (posting.size + 0.5));
      for (const [id, share] of posting) scores.set(id, (scores.get(id) ?? 0) + rarity * share);
    }
    return [...scores]
      .toSorted((a, b) => b[1] - a[1])
      .slice(0, 10)
      .map(([id]) => id);
  });
}

/** The benchmark's rows; none when the collection is not at hand. */
export async function cranfieldRows(): Promise<readonly BenchRow[]> {
  const folder = findCranfield();
  if (folder === undefined) return [];
  const collection = readCranfield(folder);
  const reached = await lexicalNdcg(collection, [1024, 256]);
  const quality = [1024, 256].map((dimension) => {
    const reach = dimension === 1024 ? 0.3 : 0.24;
    const figure = reached.get(dimension) ?? 0;
    const name = `lexical: Cranfield at ${dimension} dimensions`;
    return { name, unit: "nDCG@10", reach, reached: figure, ok: figure >= reach };
  });
  return [...quality, await lexicalSpeed(collection)];
}

/** How many chunks of 400 tokens are embedded in a second of processor time, once the words are known. */
async function lexicalSpeed(collection: Collection): Promise<BenchRow> {
  const embedder = createLexicalEmbedder({ native_dimension: 1024 });
  const { signal } = new AbortController();
  const text = [...collection.documents.values()].join("\n");
  const { ends } = (await embedder.tokenizer.pieces([text]))[0]!;
  const chunks: string[] = [];
  for (let token = 0; token + 400 < ends.length; token += 400) {
    chunks.push(text.slice(token === 0 ? 0 : ends[token - 1], ends[token + 399]));
  }
  await embedder.embed(chunks, "document", signal);
  const before = process.cpuUsage();
  for (let round = 0; round < 5; round += 1) await embedder.embed(chunks, "document", signal);
  const { user, system } = process.cpuUsage(before);
  const reached = (5 * chunks.length * 1_000_000) / (user + system);
  return { name: "lexical: speed", unit: "chunks/s", reach: 5_000, reached, ok: reached >= 5_000 };
}

if (import.meta.main) {
  const folder = findCranfield();
  if (folder === undefined) {
    process.stdout.write(
      "The Cranfield collection is not at hand; name its folder by SLUICE_CRANFIELD.\n",
    );
  } else {
    console.table(await cranfieldRows());
    const figure = bm25Ndcg(readCranfield(folder)).toFixed(3);
    process.stdout.write(`For comparison, BM25: ${figure} nDCG@10.\n`);
  }
}
