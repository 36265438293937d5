import { styleText } from "node:util";
import { assert } from "../faults/index.ts";
import { createRedact, type Redact } from "../config/redact.ts";
import { plainJson, plainLine, plainLines } from "./plain-text.ts";

export type Style = "bold" | "dim" | "red" | "yellow" | "green";

/** What a stream of the process offers, as far as it is used. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string, done?: () => void): boolean;
  on(event: "error", listener: (error: NodeJS.ErrnoException) => void): unknown;
}

export interface TerminalOptions {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Texts of the user's documents under these keys stay whole in JSON: redaction would break the ids. */
const documentKeys = new Set(
  "id document documents text title uri headings metadata examples context blocks".split(" "),
);

/**
 * The one way out: results on stdout, everything else on stderr. Whatever is written is redacted, and nothing in it can
 * drive the terminal. With `--json`, stdout holds one JSON document, or one JSON line per event, and nothing else.
 */
export class Terminal {
  json = false;
  quiet = false;
  verbose = false;
  /** With `--json`: a line per event instead of one document. */
  lines = false;
  /** Hides the secrets of the pipelines that were loaded; addresses with passwords are hidden always. */
  redact: Redact = createRedact([]);
  readonly #stdout: Output;
  readonly #stderr: Output;
  readonly #environment: TerminalOptions["environment"];
  readonly #closed = new Set<Output>();
  #status: readonly string[] = [];
  #documented = false;

  constructor({ stdout, stderr, environment }: TerminalOptions) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#environment = environment;
    for (const output of [stdout, stderr]) {
      output.on("error", (error) => {
        // The reader went away (`sluice query … | head`): there is nobody left to tell.
        this.#closed.add(output);
        if (error.code !== "EPIPE" && output === stdout) this.warn(`stdout: ${error.message}`);
      });
    }
  }

  /** Whether stderr shows a status line that can be rewritten. */
  get live(): boolean {
    return this.#stderr.isTTY === true && this.#environment["TERM"] !== "dumb";
  }

  /** A line of the result. Not with `--json`. */
  line(text = "", style?: Style): void {
    if (this.json) return;
    this.#write(
      this.#stdout,
      `${this.#paint(plainLine(this.redact(text)), this.#stdout, style)}\n`,
    );
  }

  /** Text of the user's documents, as it is but for control characters; each line indented. */
  passage(text: string, indent: string): void {
    if (this.json) return;
    for (const line of plainLines(text))
      this.#write(this.#stdout, `${indent}${line}`.trimEnd() + "\n");
  }

  /** The one JSON document of a command; with `--json` only. */
  document(value: unknown): void {
    if (!this.json) return;
    assert(!this.#documented, "a command gives one JSON document");
    this.#documented = true;
    this.#write(this.#stdout, `${this.#stringify(value, 2)}\n`);
  }

  /** The JSON document of a command that failed, unless it gave one already. */
  failure(error: { readonly code: string; readonly message: string }): void {
    if (this.lines) this.event({ kind: "error", error });
    else if (!this.#documented) this.document({ error });
  }

  /** A JSON document on a line of its own. */
  event(value: unknown): void {
    this.#write(this.#stdout, `${this.#stringify(value)}\n`);
  }

  /** Something worth knowing that is no result; not with `--quiet`. */
  note(text: string, style?: Style): void {
    if (!this.quiet) this.#tell(text, style);
  }

  warn(text: string): void {
    this.#tell(text, "yellow");
  }

  error(text: string): void {
    this.#tell(text, "red");
  }

  /** A line for machines on stderr, as it is made by the logger. */
  log(line: string): void {
    this.#clearStatus();
    this.#write(this.#stderr, `${plainJson(this.redact(line.trimEnd()))}\n`);
    this.#drawStatus();
  }

  /** Shows the lines that are rewritten in place, or without any takes them away. Does nothing where there is no terminal. */
  status(...lines: readonly string[]): void {
    if (!this.live) return;
    this.#clearStatus();
    // A terminal that does not know its width says 0.
    const columns = Math.max(20, this.#stderr.columns || 80);
    this.#status = lines
      .filter((line) => line !== "")
      .map((line) => clip(plainLine(this.redact(line)), columns - 1));
    this.#drawStatus();
  }

  /** Resolves when everything written has left the process, or cannot. */
  async flush(): Promise<void> {
    this.status();
    await Promise.all([this.#stdout, this.#stderr].map((output) => this.#drain(output)));
  }

  #tell(text: string, style?: Style): void {
    this.#clearStatus();
    for (const line of plainLines(this.redact(text))) {
      this.#write(this.#stderr, `${this.#paint(line, this.#stderr, style)}\n`);
    }
    this.#drawStatus();
  }

  #clearStatus(): void {
    if (this.#status.length === 0) return;
    // Each further line lies above.
    const above = "\u001b[1A\u001b[K".repeat(this.#status.length - 1);
    this.#write(this.#stderr, `\r\u001b[K${above}`);
  }

  #drawStatus(): void {
    if (this.#status.length > 0) this.#write(this.#stderr, this.#status.join("\n"));
  }

  #stringify(value: unknown, indent?: number): string {
    const hide = (held: unknown, key: string): unknown => {
      if (typeof held === "string") return documentKeys.has(key) ? held : this.redact(held);
      if (Array.isArray(held)) return held.map((item) => hide(item, key));
      if (typeof held !== "object" || held === null) return held;
      if (key === "metadata") return held;
      return Object.fromEntries(
        Object.entries(held).map(([name, item]) => [name, hide(item, name)] as const),
      );
    };
    return plainJson(JSON.stringify(hide(value, ""), undefined, indent));
  }

  #paint(text: string, output: Output, style: Style | undefined): string {
    if (style === undefined || text === "" || !this.#colours(output)) return text;
    return styleText(style, text, { validateStream: false });
  }

  #colours(output: Output): boolean {
    const { NO_COLOR, FORCE_COLOR, TERM } = this.#environment;
    if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
    if (FORCE_COLOR !== undefined && FORCE_COLOR !== "") return FORCE_COLOR !== "0";
    return output.isTTY === true && TERM !== "dumb";
  }

  #write(output: Output, text: string): void {
    if (!this.#closed.has(output)) output.write(text);
  }

  #drain(output: Output): Promise<void> {
    if (this.#closed.has(output)) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    output.on("error", () => resolve());
    output.write("", () => resolve());
    return promise;
  }
}

/** Cuts by characters, not within one; wide characters may still reach beyond, which only looks untidy. */
function clip(text: string, columns: number): string {
  const characters = Array.from(text);
  if (characters.length <= columns) return text;
  return `${characters.slice(0, Math.max(0, columns - 1)).join("")}…`;
}
