/** How a text is dressed before it is embedded. */
export interface Template {
  /** The whole template with its placeholder, or empty when texts are embedded as they are. */
  readonly pattern: string;
  apply(text: string): string;
}

/** The dress of a document: a prefix, or a pattern with `{text}`. */
export function textTemplate(instruction: string): Template {
  return template(instruction, "{text}");
}

/**
 * The dress of a query. `instruction` is a whole pattern with `{query}`; or, where the model has a `frame` with
 * `{task}` and `{query}`, the task to put into it; or else a prefix. Empty: queries are embedded as they are.
 */
export function queryTemplate(instruction: string, frame?: string): Template {
  const framed = instruction !== "" && !instruction.includes("{query}") && frame !== undefined;
  return template(framed ? frame.replace("{task}", () => instruction) : instruction, "{query}");
}

function template(instruction: string, placeholder: string): Template {
  if (instruction === "") return { pattern: "", apply: (text) => text };
  const at = instruction.indexOf(placeholder);
  const before = at < 0 ? instruction : instruction.slice(0, at);
  const after = at < 0 ? "" : instruction.slice(at + placeholder.length);
  return { pattern: before + placeholder + after, apply: (text) => before + text + after };
}
