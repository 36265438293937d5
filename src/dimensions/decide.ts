import type { CollectionDescription, Metric } from "../contracts/index.ts";
import type {
  DimensionAgreement,
  DimensionDecision,
  DimensionInput,
  DimensionRefusal,
} from "./decision.ts";
import {
  alteredRefusal,
  configuredRefusal,
  elementRefusal,
  metricRefusal,
  modelRefusal,
  recordsRefusal,
  schemaRefusal,
  spaceRefusal,
  unknownRefusal,
} from "./refusals.ts";

/**
 * Decides the dimension of one sink: the live collection's, where there is one; else the configured number; else the
 * model's native one. Pure. Used by plan, run, query and adopt. The state, the probe and the sequence number in the
 * marker are the engine's to check. `docs/guide/dimensions.md` has a table of all cases.
 */
export function decideDimension(input: DimensionInput): DimensionDecision {
  const { live, model, configured } = input;
  if (live !== undefined) return decideLive(input, live);
  const dimension = configured === "auto" ? model.dimensions.native : configured;
  if (!canGive(input, dimension)) return modelRefusal(input, dimension, "configured");
  return agree(input, "create", dimension, input.createMetric, "float32");
}

/** What nobody can mend comes first, and what `sluice adopt` can mend last, so that it is not tried in vain. */
function decideLive(input: DimensionInput, live: CollectionDescription): DimensionDecision {
  const { elementType, marker } = live;
  if (!isDenseFloat(elementType)) return elementRefusal(input, elementType);
  const metric = live.metric ?? input.createMetric;
  if (metric === "other") return metricRefusal(input, live.metricName);
  if (live.misfits.length > 0) return schemaRefusal(input, live.misfits);
  if (marker !== undefined && marker.space.hash !== input.spaceHash) {
    return spaceRefusal(input, marker);
  }
  const dimension = dimensionOf(input, live);
  if (typeof dimension !== "number") return dimension;
  const isNobodys = marker === undefined && live.records > 0;
  if (isNobodys && input.adopting !== true) return recordsRefusal(input, live.records);
  return agree(input, "open", dimension, metric, elementType);
}

/** The one dimension that store, marker and file agree on, and that the model can give; or why there is none. */
function dimensionOf(
  input: DimensionInput,
  live: CollectionDescription,
): number | DimensionRefusal {
  const { configured } = input;
  const remembered = live.marker?.dimension;
  const known = live.dimension ?? remembered;
  if (known !== undefined && remembered !== undefined && remembered !== known) {
    return alteredRefusal(input, known, remembered);
  }
  if (known !== undefined && configured !== "auto" && configured !== known) {
    return configuredRefusal(input, known, configured);
  }
  const dimension = known ?? configured;
  if (dimension === "auto") return unknownRefusal(input, live);
  if (canGive(input, dimension)) return dimension;
  return modelRefusal(input, dimension, known === undefined ? "configured" : "live");
}

function canGive({ model }: DimensionInput, dimension: number): boolean {
  const { native, min, matryoshka } = model.dimensions;
  if (dimension === native) return true;
  return Number.isInteger(dimension) && matryoshka && min <= dimension && dimension < native;
}

function agree(
  input: DimensionInput,
  kind: "create" | "open",
  dimension: number,
  metric: Metric,
  elementType: DimensionAgreement["elementType"],
): DimensionAgreement {
  const sliced = dimension !== input.model.dimensions.native;
  return { kind, dimension, metric, sliced, elementType };
}

function isDenseFloat(
  type: CollectionDescription["elementType"],
): type is DimensionAgreement["elementType"] {
  return type === "float32" || type === "float16" || type === "bfloat16";
}
