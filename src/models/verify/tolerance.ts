import type { Precision } from "../precision.ts";

/** How far right answers of a precision may lie from what is known. */
export interface Tolerance {
  /** Of a published cosine, either way. */
  readonly published: number;
  /** The least cosine of two vectors of one text. */
  readonly sameText: number;
}

/**
 * The model cards give each cosine twice, once in float32 and once by another engine in bfloat16; these differ by up to
 * 0.0026, hence 0.003. Eight-bit weights in blocks were seen at 0.002 and are allowed 0.01; plain eight-bit weights miss
 * it by far, and should. Four bits lose 0.05 of a vector's cosine.
 */
const tolerances: Readonly<Record<Precision, Tolerance>> = {
  fp32: { published: 0.001, sameText: 0.9999 },
  fp16: { published: 0.003, sameText: 0.999 },
  q8: { published: 0.01, sameText: 0.998 },
  q4: { published: 0.05, sameText: 0.99 },
  q4f16: { published: 0.05, sameText: 0.99 },
};

export function toleranceOf(precision: Precision): Tolerance {
  return tolerances[precision];
}
