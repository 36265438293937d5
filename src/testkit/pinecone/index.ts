export type {
  PineconeBehaviour,
  PineconeOperation,
  PineconeRequest,
  PineconeScript,
  PineconeSilence,
} from "./behaviour.ts";
export {
  type PineconeEmulator,
  type PineconeEmulatorOptions,
  startPineconeEmulator,
} from "./emulator.ts";
export type {
  PineconeMetadata,
  PineconeMetadataValue,
  PineconeRecord,
  PineconeSparseValues,
} from "./record.ts";
export type { PineconeStats } from "./stats.ts";
