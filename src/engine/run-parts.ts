import type { RunContext } from "./context.ts";
import type { EmbeddingService } from "./embedding.ts";
import type { WriteHorizon } from "./horizon.ts";
import type { Space } from "./space.ts";
import type { Target } from "./targets.ts";
import type { Recipes } from "./versions.ts";

/** A run after everything is open and checked. */
export interface Run {
  readonly context: RunContext;
  readonly space: Space;
  readonly recipes: Recipes;
  readonly embedding: EmbeddingService;
  readonly targets: readonly Target[];
  readonly horizon: WriteHorizon;
}
