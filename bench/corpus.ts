import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../src/testkit/simulation/random.ts";

const syllables =
  "ka ro ti mel sun ver la ne por in ex con tra de si mo ur al pre den ing er ation ly ed".split(
    " ",
  );
const frequent = "the of and to in is that for with as".split(" ");

/** Makes text like documentation: seeded, so that every run reads the same. */
export class Corpus {
  readonly #random: Random;
  readonly #words: readonly string[];

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#words = Array.from({ length: 6000 }, () =>
      Array.from({ length: 1 + this.#random.below(4) }, () => this.#random.pick(syllables)).join(
        "",
      ),
    );
  }

  #word(): string {
    return this.#random.chance(0.25) ? this.#random.pick(frequent) : this.#random.pick(this.#words);
  }

  sentence(): string {
    const words = Array.from({ length: 6 + this.#random.below(18) }, () => this.#word()).join(" ");
    return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
  }

  paragraph(): string {
    return Array.from({ length: 3 + this.#random.below(5) }, () => this.sentence()).join(" ");
  }

  /** A Markdown document of about this many bytes, with a heading every so many blocks. */
  document(title: string, bytes: number, blocksPerSection: number): string {
    const parts = [`# ${title}`];
    let size = 0;
    for (let block = 0; size < bytes; block += 1) {
      if (block % blocksPerSection === 0) parts.push(`## ${this.#word()} ${this.#word()} ${block}`);
      const text = this.#block();
      parts.push(text);
      size += text.length + 2;
    }
    return `${parts.join("\n\n")}\n`;
  }

  #block(): string {
    const kind = this.#random.next();
    if (kind < 0.7) return this.paragraph();
    const five = [0, 1, 2, 3, 4];
    if (kind < 0.85) return five.map(() => `- ${this.sentence()}`).join("\n");
    if (kind < 0.93) {
      const code = five.map((n) => `const ${this.#word()}${n} = ${this.#word()}(${n});`).join("\n");
      return `\`\`\`ts\n${code}\n\`\`\``;
    }
    const rows = five.map(() => `| ${this.#word()} | ${this.sentence()} |`).join("\n");
    return `| name | meaning |\n|---|---|\n${rows}`;
  }

  /** Writes documents into a folder, a thousand a folder below it. Returns their bytes. */
  write(
    folder: string,
    files: number,
    options: { readonly bytes: number; readonly blocksPerSection: number },
  ): number {
    let total = 0;
    for (let file = 0; file < files; file += 1) {
      const path = join(folder, String(Math.floor(file / 1000)));
      if (file % 1000 === 0) mkdirSync(path, { recursive: true });
      const text = this.document(`Document ${file}`, options.bytes, options.blocksPerSection);
      writeFileSync(join(path, `${file}.md`), text);
      total += Buffer.byteLength(text);
    }
    return total;
  }
}
