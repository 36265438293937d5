/** The service's fixed limits, as its documentation of operations gives them. */
export const serviceLimits = {
  /** Records of an upsert, ids of a fetch or a delete. */
  recordsPerRequest: 1_000,
  /**
   * Bytes of an upsert's JSON. The documentation says 2 MB and not which; less than either, with room for what
   * surrounds the records.
   */
  upsertBytes: 1_990_000,
  /** Ids of a page of a list. */
  idsPerPage: 100,
  /** Bytes of a record's metadata as JSON. */
  metadataBytes: 40_960,
  idLength: 512,
  /** Bytes of an answer, numbers counted at four bytes; the service says 4 MB. */
  answerBytes: 3_500_000,
  /** Bytes of a request's line; the service's proxy takes about 60 KiB with all headers. */
  urlBytes: 40_000,
  topK: 10_000,
  filterValues: 10_000,
  /** A vector without a number of at least this magnitude counts as zero, and is refused. */
  smallestValue: 1e-8,
} as const;

/** The namespace that records without a namespace are in. */
export const defaultNamespace = "__default__";

/** The namespace that holds the markers of all others. */
export const markerNamespace = "__sluice__";
