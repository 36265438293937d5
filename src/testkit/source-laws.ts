import { bindLaws, type Law, type LawDefinition } from "./law.ts";
import { sourceChangeLaws } from "./source-change-laws.ts";
import { sourceFailureLaws } from "./source-failure-laws.ts";
import type { SourceHarness, SourcePlace } from "./source-harness.ts";
import { sourceListingLaws } from "./source-listing-laws.ts";

const definitions = [...sourceListingLaws, ...sourceChangeLaws, ...sourceFailureLaws];

/** What every source promises. */
export function sourceLaws<Place extends SourcePlace>(harness: SourceHarness<Place>): Law[] {
  return bindLaws(harness, definitions as readonly LawDefinition<SourceHarness<Place>>[]);
}
