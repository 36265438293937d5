import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Runtime } from "../../../../../connectors/embedders/qwen3/runtime/index.ts";
import { goldens, noAbort, optionsOf, rows, tinyModel, variants, wrongOnes } from "./tiny-model.ts";

/** Every seventh row, so that short and long ones meet. */
const mixed = rows.map((_, index) => (index * 7) % rows.length);

for (const [name, tolerance] of variants) {
  describe(`${name}.onnx on the CPU`, () => {
    let runtime: Runtime;

    beforeAll(async () => {
      runtime = await Runtime.open(optionsOf(tinyModel(name)), noAbort);
    });
    afterAll(() => runtime.close());

    it("gives PyTorch's vector for each text alone", async () => {
      const vectors: Float32Array[] = [];
      for (const row of rows) vectors.push(...(await runtime.run([row], noAbort)));
      expect(wrongOnes(vectors, tolerance)).toEqual([]);
    });

    it("gives the same in batches of mixed lengths, in the order of the rows", async () => {
      for (const size of [2, 5, rows.length]) {
        for (let from = 0; from < mixed.length; from += size) {
          const chosen = mixed.slice(from, from + size);
          const vectors = await runtime.run(
            chosen.map((index) => rows[index]!),
            noAbort,
          );
          const expected = chosen.map((index) => goldens.items[index]!);
          expect(wrongOnes(vectors, tolerance, expected), `batches of ${size}`).toEqual([]);
        }
      }
    });
  });
}
