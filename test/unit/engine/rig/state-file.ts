import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { sqliteStateStore } from "../../../../src/state/index.ts";
import type { Rig } from "./rig.ts";

/** A real state file, which can be copied, restored and lost. */
export class StateFile {
  readonly folder = mkdtempSync(join(tmpdir(), "sluice-engine-"));
  readonly #rig: Rig;
  #copies = 0;

  constructor(rig: Rig) {
    this.#rig = rig;
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
    this.#open();
  }

  /** Keeps a copy; the function returned puts it back in the place of what is there. */
  async copy(): Promise<() => Promise<void>> {
    await this.#rig.state.close();
    this.#copies += 1;
    const kept = join(this.folder, `copy-${this.#copies}`);
    cpSync(this.#live, kept, { recursive: true });
    this.#open();
    return async () => {
      await this.lose();
      cpSync(kept, this.#live, { recursive: true });
      this.#open();
    };
  }

  async lose(): Promise<void> {
    await this.#rig.state.close();
    for (const name of readdirSync(this.#live)) rmSync(join(this.#live, name));
    this.#open();
  }

  get #live(): string {
    return join(this.folder, "live");
  }

  #open(): void {
    this.#rig.state = sqliteStateStore({ path: join(this.#live, "state.sqlite") });
  }
}
