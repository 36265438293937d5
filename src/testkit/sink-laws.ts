import { bindLaws, type Law, type LawDefinition } from "./law.ts";
import { sinkCollectionLaws } from "./sink-collection-laws.ts";
import type { SinkHarness, SinkPlace } from "./sink-harness.ts";
import { sinkReadLaws } from "./sink-read-laws.ts";
import { sinkWriteLaws } from "./sink-write-laws.ts";

const definitions = [...sinkCollectionLaws, ...sinkWriteLaws, ...sinkReadLaws];

/** What every sink and its collections promise. */
export function sinkLaws<Place extends SinkPlace>(harness: SinkHarness<Place>): Law[] {
  return bindLaws(harness, definitions as readonly LawDefinition<SinkHarness<Place>>[]);
}
