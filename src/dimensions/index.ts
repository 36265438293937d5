export {
  decideDimension,
  type DimensionAgreement,
  type DimensionDecision,
  type DimensionInput,
  type DimensionRefusal,
} from "./decide.ts";
export { fit } from "./fit.ts";
export { modelsReaching } from "./catalog.ts";
