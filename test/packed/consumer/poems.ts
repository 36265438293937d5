/** A source of one's own, as the author of a connector writes it: rows that need no parser. */
import { define, type DocumentRef, Fault, type Source } from "sluice";
import { z } from "zod";

export type Shelf = Map<string, string>;

const shelf: Shelf = new Map([
  ["first", "The tide comes in with the moon."],
  ["second", "The lighthouse keeper counts the ships."],
]);

export const poems = define({
  kind: "source",
  type: "poems",
  revision: 1,
  summary: "Reads poems from a shelf in memory.",
  stability: "experimental",
  config: z.strictObject({ shelf: z.string().meta({ description: "The name of the shelf." }) }),
  examples: [{ title: "A shelf", config: { shelf: "sea" } }],
  packages: [],
  create: (config) => readShelf(config.shelf, shelf),
});

export function readShelf(name: string, content: Shelf): Source {
  return {
    identity: `poems:${name}`,
    async *read(_options, signal) {
      signal.throwIfAborted();
      yield { kind: "listing", resumed: false };
      for (const [id, text] of content) {
        signal.throwIfAborted();
        yield { kind: "document", document: refer(content, id, text) };
      }
      yield { kind: "end", listing: "complete" };
    },
    async *lookup(documentIds, signal) {
      for (const documentId of documentIds) {
        signal.throwIfAborted();
        const text = content.get(documentId);
        if (text === undefined) yield { kind: "deletion", documentId };
        else yield { kind: "document", document: refer(content, documentId, text) };
      }
    },
    check: async (signal) => signal.throwIfAborted(),
    close: async () => {},
  };
}

function refer(content: Shelf, id: string, listed: string): DocumentRef {
  return {
    id,
    revision: listed,
    mediaType: "text/plain",
    metadata: {},
    content: {
      kind: "blocks",
      async *open(signal) {
        signal.throwIfAborted();
        const text = content.get(id);
        if (text === undefined) throw new Fault("source.vanished", `The poem \`${id}\` is gone.`);
        if (text !== listed) throw new Fault("source.changed", `The poem \`${id}\` changed.`);
        if (text === "") return;
        yield { kind: "block", block: { kind: "paragraph", text, headings: [] } };
      },
    },
  };
}
