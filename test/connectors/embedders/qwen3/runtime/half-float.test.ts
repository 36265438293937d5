import { expect, it } from "vitest";
import { fromHalf } from "../../../../../connectors/embedders/qwen3/runtime/worker/half-float.ts";

it("a float of 16 bits is the number that IEEE 754 says, for all 65,536", () => {
  const view = new DataView(new ArrayBuffer(2));
  const wrong = Array.from({ length: 0x1_00_00 }, (_, bits) => bits).filter((bits) => {
    view.setUint16(0, bits);
    return !Object.is(fromHalf(bits), view.getFloat16(0));
  });
  expect(wrong).toEqual([]);
});
