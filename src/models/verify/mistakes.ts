/** The usual mistakes of those who serve or export embedding models, and how to mend each. */
export const mistakes = {
  "mean-pooling":
    "The states of all tokens are averaged. The model wants the last token's state: set the pooling to `last`.",
  "first-token-pooling":
    "The first token's state is taken (as for BERT). The model wants the last token's: set the pooling to `last`.",
  "missing-end-token":
    "No end token is appended to texts. The tokenizer's post-processor appends `<|endoftext|>`: use the model's " +
    "current tokenizer.json, or convert the model anew.",
  "eos-twice": "The end token is appended twice: leave it to the tokenizer.",
  "im-end-in-place-of-eos":
    "`<|im_end|>`, the `eos_token` of tokenizer_config.json, is appended. The model wants `<|endoftext|>`.",
  "im-end-after-eos":
    "`<|im_end|>` is appended after the end token. Leave the end to the tokenizer's post-processor.",
  "left-padding":
    "Texts that are shorter than others of their batch are padded on the left, which the graph does not allow: pad on " +
    "the right, or send one text at a time.",
  "right-padding-last-place":
    "The state at the last place of the batch is taken, where shorter texts have padding: take the last real token.",
  "padding-without-mask": "Padding is read as if it were text: pass the attention mask.",
  "space-after-query": "There is a space after `Query:`; the model was trained without one.",
  "no-instruction":
    "Queries are embedded without their instruction: leave `query_instruction` out to have the model's own.",
  "document-instruction":
    "Documents are dressed with an instruction; this model wants them as they are.",
  "normalise-before-slice":
    "The server normalises vectors before it shortens them: leave `dimensions` out, and sluice shortens them itself.",
  "coarser-weights":
    "The vectors are near, and not as near as this precision promises: name the precision of the weights with " +
    "`--precision`, or take weights of a higher one.",
  "other-order": "Vectors do not come in the order of the texts.",
  "other-model": "Another model answers, or another revision or a coarser quantisation of it.",
  "truncated-text": "Texts are cut before they are embedded.",
} as const;

export type MistakeName = keyof typeof mistakes;

export function isMistake(name: string): name is MistakeName {
  return Object.hasOwn(mistakes, name);
}
