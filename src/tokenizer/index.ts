export { LazyTokenizer } from "./lazy-tokenizer.ts";
export { openTokenizer } from "./open-tokenizer.ts";
export { qwen3Tokenizer } from "./qwen3.ts";
export type { SpecialTokens } from "./special-tokens.ts";
export { TokenEncoder } from "./token-encoder.ts";
