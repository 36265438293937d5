/** What someone who embeds sluice writes; prints what came out as JSON. */
import { closePipeline, isFault, loadPipeline, query, run } from "sluice";
import { brokenLaws, sourceLaws } from "sluice/testkit";
import { readShelf, type Shelf } from "./poems.ts";

const pipeline = await loadPipeline("poems.yaml");
const { summary } = await run(pipeline);
const { hits } = await query(pipeline, { text: "who counts the ships", k: 1 });
await closePipeline(pipeline);

const laws = sourceLaws({
  async place() {
    const shelf: Shelf = new Map();
    return {
      source: async () => readShelf("law", shelf),
      put: async (name, text) => {
        shelf.set(name, text);
        return name;
      },
      remove: async (name) => void shelf.delete(name),
    };
  },
  notSupported: {
    hideFolder: "A shelf has no folders.",
    disconnect: "A shelf in memory is always there.",
    follows: "A shelf is listed anew.",
    checkpointAfter: "A shelf is listed anew.",
  },
});
const broken = await brokenLaws(laws);
const refusal = await loadPipeline("missing.yaml").catch((error: unknown) => error);

console.log(
  JSON.stringify({
    added: summary.documents.added,
    found: hits[0]?.document,
    laws: laws.length > 5,
    broken: broken.map(({ name, error }) => `${name}: ${String(error)}`),
    refusal: isFault(refusal) ? refusal.code : String(refusal),
  }),
);
