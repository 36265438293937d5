import { rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Place } from "./place.ts";
import { markdown, pick, type Random, section } from "./prose.ts";

/** A folder of Markdown that somebody works in: files are added, edited, removed and touched. */
export class ChangingFolder {
  readonly #place: Place;
  readonly #random: Random;
  /** Sections by document id. */
  readonly #texts = new Map<string, string[]>();
  #made = 0;
  #saves = 0;

  constructor(place: Place, random: Random) {
    this.#place = place;
    this.#random = random;
  }

  async add(count: number, sections: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      this.#made += 1;
      const id = `${this.#made % 3 === 0 ? "guide/" : ""}page-${this.#made}.md`;
      this.#texts.set(
        id,
        Array.from({ length: sections }, () => section(this.#random)),
      );
      await this.#save(id);
    }
  }

  /** Changes, moves, inserts or drops a section. */
  async edit(count: number, first: readonly string[] = []): Promise<void> {
    for (const id of this.#some(count, first)) {
      const texts = this.#texts.get(id) ?? [];
      const at = pick(this.#random, texts.length);
      const fresh = section(this.#random);
      const how = pick(this.#random, 4);
      if (how === 0) texts.splice(at, 1, fresh);
      else if (how === 1) texts.unshift(fresh);
      else if (how === 2) texts.push(...texts.splice(at, 1), markdown(this.#random, 1));
      else if (texts.length > 2) texts.splice(at, 1);
      await this.#save(id);
    }
  }

  async remove(count: number, first: readonly string[] = []): Promise<void> {
    for (const id of this.#some(count, first)) {
      this.#texts.delete(id);
      await rm(join(this.#place.docs, id));
    }
  }

  /** Gives files another time and no other content. */
  async touch(count: number): Promise<void> {
    for (const id of this.#some(count))
      await utimes(join(this.#place.docs, id), 1, pick(this.#random, 1e9));
  }

  /** So many documents: those asked for first, as far as they exist, then any. */
  #some(count: number, first: readonly string[] = []): string[] {
    const ids = [...this.#texts.keys()];
    const chosen = new Set(first.filter((id) => this.#texts.has(id)).slice(0, count));
    while (chosen.size < Math.min(count, ids.length)) {
      chosen.add(ids[pick(this.#random, ids.length)] ?? "");
    }
    return [...chosen];
  }

  async #save(id: string): Promise<void> {
    this.#saves += 1;
    const properties = `---\nedition: ${this.#saves}\nauthor: somebody\n---\n`;
    await this.#place.write(
      id,
      `${properties}# ${id}\n\n${(this.#texts.get(id) ?? []).join("\n")}`,
    );
  }
}
