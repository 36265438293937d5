// In a project of your own: import { … } from "sluice";
import { closePipeline, loadPipeline, plan, query, run } from "../../src/index.ts";

const file = new URL("../handbook/sluice.yaml", import.meta.url).pathname;
// State, cache and index of this program's own, beside it.
const pipeline = await loadPipeline(file, {
  set: [
    `sinks.search.uri=${new URL(".sluice/index", import.meta.url).pathname}`,
    `state={ type: sqlite, path: ${JSON.stringify(new URL(".sluice/state.sqlite", import.meta.url).pathname)} }`,
    "cache={ type: none }",
  ],
});
try {
  const { plan: before } = await plan(pipeline);
  console.log(`to add: ${before.documents.add}`);

  const { summary, exitCode } = await run(pipeline, {
    observe: (event) => {
      if (event.kind === "document-settled") console.log(`${event.outcome} ${event.document}`);
    },
  });
  console.log(
    `${summary.status}: ${summary.sinks["search"]?.upserted} records, exit code ${exitCode}`,
  );

  const { hits } = await query(pipeline, { text: "who is on call at night", k: 1 });
  console.log(`found ${hits[0]?.document}`);
} finally {
  await closePipeline(pipeline);
}
