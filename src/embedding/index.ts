export { cosineOf, normOf } from "./cosine.ts";
export { cutText, type TextPart } from "./cut-text.ts";
export { mergeParts, normalized } from "./merge-parts.ts";
export { queryTemplate, textTemplate, type Template } from "./template.ts";
