/** A metadata value as the service takes it. */
export type PineconeMetadataValue = string | number | boolean | readonly string[];

export type PineconeMetadata = Readonly<Record<string, PineconeMetadataValue>>;

export interface PineconeSparseValues {
  readonly indices: readonly number[];
  readonly values: Float32Array;
}

/** A record as the emulator keeps it. Never changed: an update makes another. */
export interface PineconeRecord {
  readonly id: string;
  /** Empty in a sparse index. */
  readonly values: Float32Array;
  readonly sparseValues?: PineconeSparseValues;
  readonly metadata?: PineconeMetadata;
}
