// Computes vectors with the package's own thread: `run-model.ts RUNTIME MODEL ROWS`, and prints them, or the fault.
const [, , runtime = "", file = "", rows = "[]"] = process.argv;
const { Runtime } = await import(runtime);
const ids = (JSON.parse(rows) as number[][]).map((row) => Int32Array.from(row));
const shape = { hidden: 64, layers: 2, kvHeads: 2, headDim: 16, heads: 4, vocabulary: 2259 };
const options = {
  model: { ...shape, file, padId: 2256 },
  device: "cpu",
  deviceIds: [],
  selfTest: ids,
};
const { signal } = new AbortController();
try {
  const opened = await Runtime.open(options, signal);
  const vectors: readonly Float32Array[] = await opened.run(ids, signal);
  await opened.close();
  console.log(JSON.stringify({ vectors: vectors.map((vector) => [...vector]) }));
} catch (error) {
  const { code, message } = error as { code: string; message: string };
  console.log(JSON.stringify({ code, message }));
}
