const source = new URL("./worker/worker.ts", import.meta.url);

/** The file that a thread runs: beside this one, as TypeScript in a checkout and as JavaScript in the package. */
export const workerFile: URL = import.meta.url.endsWith(".ts")
  ? source
  : new URL("./worker/worker.js", import.meta.url);
