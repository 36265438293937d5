import type { FaultLike } from "../contracts/index.ts";
import { isFault } from "../faults/index.ts";

/**
 * Makes the deletes of a write, after its upserts; gives what was not deleted, by id. Once upserts of the same write
 * have taken effect, a call that fails is a failure of each id: a rejection would say that nothing is known of any.
 */
export async function deleteLast(
  ids: readonly string[],
  { upserted, signal }: { readonly upserted: boolean; readonly signal: AbortSignal },
  remove: () => Promise<ReadonlyMap<string, FaultLike>>,
): Promise<ReadonlyMap<string, FaultLike>> {
  if (ids.length === 0) return new Map();
  try {
    return await remove();
  } catch (error) {
    if (!upserted || signal.aborted || !isFault(error)) throw error;
    return new Map(ids.map((id) => [id, error]));
  }
}
