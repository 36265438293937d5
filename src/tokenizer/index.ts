export { openTokenizer } from "./open-tokenizer.ts";
export { qwen3Tokenizer } from "./qwen3.ts";
