import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
// In a project of your own: import { define, Fault, type DocumentRef, … } from "sluice";
import { define, type DocumentRef, Fault, type Source } from "../../src/index.ts";

const config = z.strictObject({
  path: z.string().min(1).describe("The JSON file with the notes."),
});

const notes = z.array(z.object({ id: z.string(), changed: z.string(), text: z.string() }));

/** Notes from one JSON file, each a document. */
export const notesSource = define({
  kind: "source",
  type: "notes",
  revision: 1,
  summary: "Lists the notes of a JSON file.",
  stability: "experimental",
  config,
  examples: [{ title: "Notes beside the pipeline", config: { path: "notes.json" } }],
  packages: [],
  create: ({ path }, { folder }) => createNotesSource(resolve(folder, path)),
});

function createNotesSource(file: string): Source {
  /** All notes, or the fault that ends the run. A listing that fails must never look like an empty one. */
  async function load(): Promise<DocumentRef[]> {
    try {
      const text = await readFile(file, "utf8");
      return notes.parse(JSON.parse(text)).map(describe);
    } catch (cause) {
      const message = `The notes cannot be read from ${file}. Check the path and the file.`;
      throw new Fault("source.unreachable", message, { cause });
    }
  }

  return {
    identity: file,
    async check() {
      await load();
    },
    async *read() {
      yield { kind: "listing", resumed: false };
      for (const document of await load()) yield { kind: "document", document };
      // Complete: what was not listed does not exist any more.
      yield { kind: "end", listing: "complete" };
    },
    async *lookup(ids) {
      const known = new Map((await load()).map((document) => [document.id, document]));
      for (const documentId of ids) {
        const document = known.get(documentId);
        yield document ? { kind: "document", document } : { kind: "deletion", documentId };
      }
    },
    async close() {},
  };
}

function describe(note: z.output<typeof notes>[number]): DocumentRef {
  const bytes = new TextEncoder().encode(note.text);
  return {
    id: note.id,
    // Equal revisions mean equal content: a note that did not change is not opened.
    revision: note.changed,
    mediaType: "text/plain",
    title: note.id,
    metadata: { changed: note.changed },
    content: {
      kind: "bytes",
      sizeBytes: bytes.length,
      async *open() {
        yield bytes;
      },
    },
  };
}
