/** Documents in one page when the query does not say. */
export const defaultPageSize = 500;

/** Runs kept in the history. */
export const maxRuns = 1_000;
