import { openStateToRead } from "../engine/open-state.ts";
import type { Pipeline } from "../engine/pipeline.ts";

/**
 * How many documents a run will probably list, from the last listings of its sources; undefined when nothing is known of
 * them. Never rejects: the run itself meets the same fault and tells it.
 */
export async function expectedDocuments(
  pipeline: Pipeline,
  run: { readonly sources?: readonly string[]; readonly limit?: number },
  signal: AbortSignal,
): Promise<number | undefined> {
  const { sources = [...pipeline.sources.keys()], limit = Infinity } = run;
  try {
    const session = await openStateToRead(pipeline, signal);
    if (session === undefined) return undefined;
    try {
      const counts = sources.map((source) => session.count({ source, gone: false }));
      const known = (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
      return known === 0 ? undefined : Math.min(known, limit);
    } finally {
      await session.close();
    }
  } catch {
    return undefined;
  }
}
