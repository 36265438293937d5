export { knownModel, type KnownModel } from "./known-models.ts";
export { queryTemplate, textTemplate, type Template } from "./template.ts";
