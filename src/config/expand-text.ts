/** The environment that variables are looked up in. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What became of a text with variables. */
export interface Expansion {
  readonly text: string;
  /** Variables whose values stand in the text, with these values. */
  readonly used: ReadonlyMap<string, string>;
  /** The variables that were asked for, also those whose default stands in the text. */
  readonly named: ReadonlySet<string>;
  /** What is wrong, and with which `${` of the text, counted from 0. */
  readonly mistakes: readonly { readonly mark: number; readonly message: string }[];
  /** The name when the text is exactly one `${…}`. */
  readonly sole: string | undefined;
}

const namePattern = /[A-Za-z_][A-Za-z0-9_]*/y;
const maxNesting = 16;

/** Replaces `${VAR}`, `${VAR:-default}`, `${VAR:?message}` and `$${` (a literal `${`). */
export function expandText(text: string, environment: Environment): Expansion {
  const expander = new Expander(text, environment);
  const result = expander.until(false, true);
  return {
    text: result,
    used: expander.used,
    named: expander.named,
    mistakes: expander.mistakes,
    sole: expander.sole,
  };
}

class Expander {
  readonly used = new Map<string, string>();
  readonly named = new Set<string>();
  readonly mistakes: { mark: number; message: string }[] = [];
  sole: string | undefined;
  readonly #text: string;
  readonly #environment: Environment;
  #index = 0;
  #mark = -1;
  #depth = 0;
  #abandoned = false;

  constructor(text: string, environment: Environment) {
    this.#text = text;
    this.#environment = environment;
  }

  /** Reads to the end, or to the `}` that closes a default. `live` is false in a part that is not taken. */
  until(closing: boolean, live: boolean): string {
    let result = "";
    let braces = 0;
    while (this.#index < this.#text.length) {
      if (this.#skip("$${")) {
        this.#mark += 1;
        result += "${";
      } else if (this.#text.startsWith("${", this.#index)) {
        result += this.#variable(live);
      } else {
        const character = this.#text[this.#index] ?? "";
        if (closing && character === "}" && braces === 0) return result;
        if (character === "{") braces += 1;
        if (character === "}") braces = Math.max(0, braces - 1);
        result += character;
        this.#index += 1;
      }
    }
    return result;
  }

  #variable(live: boolean): string {
    const start = this.#index;
    this.#index += 2;
    this.#mark += 1;
    const mark = this.#mark;
    if (this.#depth > maxNesting) return this.#abandon(mark, "defaults are nested too deeply");
    const name = this.#name();
    if (name === undefined)
      return this.#abandon(mark, "`${` must be followed by a name; write `$${` for the text `${`");
    const operator = [":-", ":?"].find((candidate) => this.#skip(candidate));
    const value = this.#lookup(name);
    const missing = value === undefined || (operator !== undefined && value === "");
    const argument =
      operator === undefined ? "" : this.#argument(live && missing && operator === ":-");
    if (!this.#skip("}")) return this.#abandon(mark, this.#unclosed(name, operator));
    if (start === 0 && this.#index === this.#text.length) this.sole = name;
    if (!live) return "";
    this.named.add(name);
    if (!missing) {
      this.used.set(name, value);
      return value;
    }
    if (operator === ":-") return argument;
    const state = value === undefined ? "is not set" : "is empty";
    const remedy =
      operator === ":?" ? argument : "set it, or write a default: `${" + name + ":-default}`";
    this.mistakes.push({
      mark,
      message: `the variable \`${name}\` ${state}; ${remedy || "set it"}`,
    });
    return "";
  }

  #argument(live: boolean): string {
    this.#depth += 1;
    const text = this.until(true, live);
    this.#depth -= 1;
    return text;
  }

  #unclosed(name: string, operator: string | undefined): string {
    const next = this.#text[this.#index];
    if (operator === undefined && next !== undefined && "-?".includes(next)) {
      return `write \`\${${name}:${next}…}\` with a colon`;
    }
    return `\`\${${name}\` is not closed by \`}\`; close it, and quote the text if it holds \` #\` or \`: \``;
  }

  /** Gives up on the rest of the text: after a mistake nothing in it is certain. */
  #abandon(mark: number, message: string): string {
    this.#index = this.#text.length;
    if (!this.#abandoned) this.mistakes.push({ mark, message });
    this.#abandoned = true;
    return "";
  }

  #lookup(name: string): string | undefined {
    return Object.hasOwn(this.#environment, name) ? this.#environment[name] : undefined;
  }

  #name(): string | undefined {
    namePattern.lastIndex = this.#index;
    const name = namePattern.exec(this.#text)?.[0];
    this.#index += name?.length ?? 0;
    return name;
  }

  #skip(token: string): boolean {
    const found = this.#text.startsWith(token, this.#index);
    if (found) this.#index += token.length;
    return found;
  }
}
