import { expect, it } from "vitest";
import { fromHalf } from "../../../../../connectors/embedders/qwen3/runtime/worker/half-float.ts";

it("a float of 16 bits is the number that IEEE 754 says, for all 65,536", () => {
  const view = new DataView(new ArrayBuffer(2));
  for (let bits = 0; bits <= 0xff_ff; bits += 1) {
    view.setUint16(0, bits);
    expect(fromHalf(bits)).toBe(view.getFloat16(0));
  }
});
