import { closePipeline, loadPipeline, query, run } from "../../../src/index.ts";

/** Brings an index up to date, and asks it. */
export async function syncAndAsk(file: string, question: string): Promise<readonly string[]> {
  const pipeline = await loadPipeline(file);
  try {
    const { summary, exitCode } = await run(pipeline, {
      observe: (event) => {
        if (event.kind === "document-failed") console.error(event.failure.message);
      },
    });
    if (exitCode !== 0) throw new Error(`${summary.status}: ${summary.error?.message ?? ""}`);
    const { hits } = await query(pipeline, { text: question, k: 5 });
    return hits.map((hit) => `${hit.document}: ${hit.text}`);
  } finally {
    await closePipeline(pipeline);
  }
}
