export { decideDimension } from "./decide.ts";
export type {
  DimensionAgreement,
  DimensionDecision,
  DimensionInput,
  DimensionRefusal,
} from "./decision.ts";
export { fit } from "./fit.ts";
