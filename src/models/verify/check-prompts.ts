import type { KnownModel } from "../known-model.ts";
import { type Check, right, skipped, wrong } from "./check.ts";
import { shown } from "./check-structure.ts";
import { cosineOf } from "../../embedding/index.ts";
import type { MistakeName } from "./mistakes.ts";
import { cardQueries } from "./published.ts";
import type { Tolerance } from "./tolerance.ts";
import type { Witness } from "./witness.ts";

/** A query as the model's own frame and task have it. */
export function framed(known: KnownModel, query: string): string {
  const { queryFrame = "{query}", queryTask = "" } = known;
  return queryFrame.replace("{task}", () => queryTask).replace("{query}", () => query);
}

/** Queries are dressed as the model's makers say, documents not at all, and the vectors show it. */
export async function checkPrompts(
  witness: Witness,
  known: KnownModel | undefined,
  { sameText }: Tolerance,
): Promise<Check> {
  const name = "prompts";
  const { query: pattern, document } = witness.model.prompts;
  const query = cardQueries[0];
  if (known?.queryFrame !== undefined) {
    const mistake = misdressed(pattern, document);
    if (mistake !== undefined) {
      const detail = `queries are dressed as ${JSON.stringify(pattern)}, documents as ${JSON.stringify(document)}`;
      return wrong(name, detail, [mistake]);
    }
  }
  if (pattern === "") return skipped(name, "queries are embedded as they are");
  const asked = await witness.alone(query, "query");
  if (document !== "") {
    const apart = cosineOf(asked, await witness.alone(query));
    const detail = `a text as a query and as a document: cosine ${shown(apart)}`;
    return apart < 0.99999 ? right(name, detail) : wrong(name, detail, ["no-instruction"]);
  }
  const dressed = pattern.replace("{query}", () => query);
  const same = cosineOf(asked, await witness.alone(dressed));
  const detail = `a query against the same text dressed by hand: cosine ${shown(same)}`;
  if (same >= sameText) return right(name, detail);
  const spaced = pattern.replace("{query}", () => ` ${query}`);
  if (cosineOf(asked, await witness.alone(query)) >= sameText) {
    return wrong(name, `${detail}; without instruction: the same`, ["no-instruction"]);
  }
  if (cosineOf(asked, await witness.alone(spaced)) >= sameText) {
    return wrong(name, `${detail}; with a space: the same`, ["space-after-query"]);
  }
  return wrong(name, detail, ["space-after-query", "no-instruction"]);
}

/** What is wrong with the dress itself, of a model whose frame is Qwen3-Embedding's. */
function misdressed(query: string, document: string): MistakeName | undefined {
  if (document !== "") return "document-instruction";
  if (query === "") return "no-instruction";
  if (/\bQuery:\s+\{query\}/.test(query)) return "space-after-query";
  return undefined;
}
