/** The service's fixed limits, as its documentation of operations and identifiers gives them. */
export const limits = {
  records: 1000,
  /** Of an upsert's body. */
  upsertBytes: 2 * 1024 * 1024,
  /** Of any message, and of a query's result. */
  messageBytes: 4 * 1024 * 1024,
  metadataBytes: 40_960,
  idLength: 512,
  namespaceLength: 512,
  ids: 1000,
  topK: 10_000,
  listed: 100,
  fetchedByMetadata: 10_000,
  /** Of `$in` and `$nin`. */
  filterValues: 10_000,
  filterDepth: 64,
  dimension: 20_000,
  sparseValues: 2048,
  nameLength: 45,
  tags: 20,
  tagKeyLength: 80,
  tagValueLength: 120,
  fieldNameBytes: 64,
  textFields: 100,
  /** A vector with no value of this magnitude counts as zero. */
  smallestValue: 1e-8,
  /** Request line and headers: what the proxy that the service stands behind takes unless told otherwise. */
  headerBytes: 60 * 1024,
} as const;
