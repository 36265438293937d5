/** Does not compile: the types must notice each of these. */
import { define, loadPipeline, run } from "sluice";
import { runLaw } from "sluice/testkit";

const pipeline: number = await loadPipeline("poems.yaml");
await run("poems.yaml");
define({ kind: "drain" });
await runLaw("a law");
console.log(pipeline);
