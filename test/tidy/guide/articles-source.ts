import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import { define, type DocumentRef, Fault, type Source } from "../../../src/index.ts";

/** Articles of one JSON file: `{ "id": "text", … }`. */
export const articlesSource = define({
  kind: "source",
  type: "articles",
  revision: 1,
  summary: "Reads articles from one JSON file of ids and texts.",
  stability: "experimental",
  config: z.strictObject({
    file: z.string().min(1).meta({ description: "The JSON file." }),
    poll_interval_ms: z.int().min(10).default(60_000).meta({
      description: "With `--watch`, read the file again after this long.",
      operational: true,
    }),
  }),
  examples: [{ title: "A file beside the pipeline", config: { file: "articles.json" } }],
  packages: [],
  create({ file, poll_interval_ms: pollMs }, { folder, clock }): Source {
    const path = resolve(folder, file);
    return {
      // As it is configured: the same when the folder moves with the file in it.
      identity: file,
      async *read({ follow }, signal) {
        do {
          yield { kind: "listing", resumed: false };
          for (const [id, text] of await readArticles(path, signal)) {
            signal.throwIfAborted();
            yield { kind: "document", document: describe(path, id, text) };
          }
          // The file was read whole: what is not in it does not exist.
          yield { kind: "end", listing: "complete" };
          if (follow) await clock.sleep(pollMs, signal);
        } while (follow);
      },
      async *lookup(documentIds, signal) {
        const articles = await readArticles(path, signal);
        for (const documentId of documentIds) {
          const text = articles.get(documentId);
          if (text === undefined) yield { kind: "deletion", documentId };
          else yield { kind: "document", document: describe(path, documentId, text) };
        }
      },
      check: async (signal) => void (await readArticles(path, signal)),
      close: async () => {},
    };
  },
});

function describe(path: string, id: string, text: string): DocumentRef {
  return {
    id,
    revision: revisionOf(text),
    mediaType: "text/plain",
    metadata: {},
    content: {
      kind: "bytes",
      sizeBytes: Buffer.byteLength(text),
      open: (signal) => openArticle(path, id, revisionOf(text), signal),
    },
  };
}

/** Reads the article again, and gives nothing but the version that was listed. */
async function* openArticle(path: string, id: string, revision: string, signal: AbortSignal) {
  const text = (await readArticles(path, signal)).get(id);
  if (text === undefined) throw new Fault("source.vanished", `The article \`${id}\` is gone.`);
  if (revisionOf(text) !== revision) {
    throw new Fault("source.changed", `The article \`${id}\` changed after it was listed.`);
  }
  yield Buffer.from(text);
}

/** A file that cannot be read is a fault of the source, never an empty list: nothing is deleted. */
async function readArticles(path: string, signal: AbortSignal): Promise<Map<string, string>> {
  signal.throwIfAborted();
  try {
    const content = z
      .record(z.string(), z.string())
      .parse(JSON.parse(await readFile(path, "utf8")));
    return new Map(Object.entries(content));
  } catch (cause) {
    const message = `The articles in \`${path}\` cannot be read. Nothing is deleted. Check the file.`;
    throw new Fault("source.unreachable", message, { cause });
  }
}

function revisionOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
