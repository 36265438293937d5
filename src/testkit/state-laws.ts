import { bindLaws, type Law, type LawDefinition } from "./law.ts";
import { stateDocumentLaws } from "./state-document-laws.ts";
import type { StateHarness, StatePlace } from "./state-harness.ts";
import { stateQueryLaws } from "./state-query-laws.ts";
import { stateSessionLaws } from "./state-session-laws.ts";

const definitions = [...stateSessionLaws, ...stateDocumentLaws, ...stateQueryLaws];

/** What every state store and its sessions promise. */
export function stateStoreLaws<Place extends StatePlace>(harness: StateHarness<Place>): Law[] {
  return bindLaws(harness, definitions as readonly LawDefinition<StateHarness<Place>>[]);
}
