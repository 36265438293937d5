/** How numbers are kept in a model's file, and how such files are called, best name first. */
export const precisions = {
  fp32: ["model"],
  fp16: ["model_fp16"],
  q8: ["model_q8", "model_quantized", "model_int8", "model_uint8"],
  q4: ["model_q4", "model_bnb4"],
  q4f16: ["model_q4f16"],
} as const;

export type Precision = keyof typeof precisions;

export function isPrecision(name: string): name is Precision {
  return Object.hasOwn(precisions, name);
}
