import { join } from "node:path";
// In a project of your own: import { … } from "sluice";
import { closePipeline, loadPipeline, plan, query, run } from "../../src/index.ts";

const here = import.meta.dirname;
const pipeline = await loadPipeline(join(here, "../handbook/sluice.yaml"), {
  // State and index of this program's own, beside it.
  set: [
    `sinks.search.uri=${join(here, ".sluice/index")}`,
    `state.type=sqlite`,
    `state.path=${join(here, ".sluice/state.sqlite")}`,
    "cache.type=none",
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
