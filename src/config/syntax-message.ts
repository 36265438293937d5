import type { YAMLError } from "yaml";

export const unquotedVariable =
  'a variable inside `{ … }` or `[ … ]`, or with `: ` in it, needs quotes: "${NAME}"';

/** Says in our words what the YAML parser found. Quotes no text of the file: it may hold a secret. */
export function explainSyntax(error: YAMLError): string {
  switch (error.code) {
    case "TAB_AS_INDENT":
      return "a tab stands here; YAML is indented with spaces";
    case "MULTIPLE_DOCS":
      return "a second YAML document begins here; a file holds one pipeline";
    case "RESOURCE_EXHAUSTION":
      return "this is nested too deeply";
    case "TAG_RESOLVE_FAILED":
      return "this YAML tag (`!…`) is not known; remove it, or quote the text";
    case "BLOCK_AS_IMPLICIT_KEY":
    case "MULTILINE_IMPLICIT_KEY":
      return "this is not valid YAML: a `key: value` cannot stand here (quote text that holds `: `, check the indentation)";
    case "BAD_SCALAR_START":
      return "text cannot begin with this character; quote it";
    case "MISSING_CHAR":
      return `this is not valid YAML: ${missing(error.message)}`;
    case "BAD_INDENT":
      return `this is not valid YAML: ${openBracket(error.message) ?? sentences.BAD_INDENT}`;
    case "BAD_DQ_ESCAPE":
    case "BAD_ALIAS":
    case "BAD_DIRECTIVE":
    case "KEY_OVER_1024_CHARS":
    case "MULTIPLE_ANCHORS":
    case "MULTIPLE_TAGS":
      return `this is not valid YAML: ${sentences[error.code]}`;
    default:
      return "this is not valid YAML: unexpected text (check quotes, brackets and indentation)";
  }
}

const sentences = {
  BAD_INDENT: "the indentation does not fit what stands above",
  BAD_DQ_ESCAPE: "a `\\` in \"double quotes\" begins an escape; use 'single quotes' or `\\\\`",
  BAD_ALIAS: "`*` begins an alias; quote text that begins with `*`",
  BAD_DIRECTIVE: "`%` begins a directive; quote text that begins with `%`",
  KEY_OVER_1024_CHARS: "a key is longer than 1,024 characters",
  MULTIPLE_ANCHORS: "a value can have one anchor (`&name`)",
  MULTIPLE_TAGS: "a value can have one tag (`!…`)",
};

/** The parser takes the line below an open bracket for one that stands too far left. */
function openBracket(message: string): string | undefined {
  const kind = /^Flow (sequence|map)\b/.exec(message)?.[1];
  if (kind === undefined) return undefined;
  const [opening, closing] = kind === "map" ? ["{", "}"] : ["[", "]"];
  return `a \`${opening}\` above is not closed by \`${closing}\`, or the lines within are not indented`;
}

/** The parser's sentence names only its own punctuation here. */
function missing(message: string): string {
  return message.startsWith("Missing closing")
    ? "a quote is not closed"
    : "a comma, colon or bracket is missing";
}

/** The variables outside quotes in the line that holds an offset. */
export function bareVariables(text: string, offset: number): { start: number; end: number }[] {
  const begin = text.lastIndexOf("\n", offset - 1) + 1;
  const end = text.indexOf("\n", offset);
  const line = text.slice(begin, end === -1 ? text.length : end);
  const pattern = /"(?:\\.|[^"\\])*"|'(?:''|[^'])*'|(\$\{[^{}]*\})/g;
  return [...line.matchAll(pattern)]
    .filter((match) => match[1] !== undefined)
    .map((match) => ({ start: begin + match.index, end: begin + match.index + match[0].length }));
}
