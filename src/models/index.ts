export { modelsReaching } from "./catalog.ts";
export { knownModel, type KnownModel } from "./known-model.ts";
export { defaultRevision, modelFolder } from "./model-folder.ts";
