/** A defect put into the engine's source text, to see that the simulation notices it. */
export interface Mutation {
  readonly name: string;
  /** Path from the repository's root. */
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

export const mutations: readonly Mutation[] = [
  {
    name: "no begin: ids are not remembered before the first write",
    file: "src/engine/apply.ts",
    find: "await run.context.session.commit([begin]);",
    replace: "void begin;",
  },
  {
    name: "no settled check: a document that was only begun counts as held",
    file: "src/engine/reconcile.ts",
    find: 'if (held?.status !== "settled") return true;',
    replace: 'if (held?.status === "begun") return false; if (held === undefined) return true;',
  },
  {
    name: "sweep without a complete listing",
    file: "src/engine/source-sync.ts",
    find: 'if (listing === "complete") await this.#sweep();',
    replace: "await this.#sweep();",
  },
  {
    name: "acknowledgement before durable: settled before the writes are acknowledged",
    file: "src/engine/apply.ts",
    find: "await join(pending);",
    replace: "void pending;",
  },
  {
    name: "cursor ahead of settled work",
    file: "src/engine/source-sync.ts",
    find: "const before = Promise.all([this.#saving, this.intake.queue.settled()]);",
    replace: "const before = this.#saving;",
  },
  {
    name: "no write horizon",
    file: "src/engine/horizon.ts",
    find: "return Math.max(0, until - this.#context.clock.monotonic());",
    replace: "return Math.min(0, until);",
  },
  {
    name: "two tasks on one id",
    file: "src/engine/document-queue.ts",
    find: "const busy = this.#entries.get(id);",
    replace: "const busy = this.#entries.get(`${id} never`);",
  },
  {
    name: "delete before upsert",
    file: "src/engine/apply.ts",
    find: "if (next !== undefined) await upsert(run, target, key, next, failed);",
    replace:
      "await remove(target, orphans, failed); if (next !== undefined) await upsert(run, target, key, next, failed);",
  },
  {
    name: "lost seen-set: a resumed listing forgets what it saw before",
    file: "src/engine/source-sync.ts",
    find: "if (!resumed) {",
    replace: "if (resumed || !resumed) {",
  },
  {
    name: "state keyed by sink name instead of the collection's incarnation",
    file: "src/engine/targets.ts",
    find: "this.id = options.marker.incarnation;",
    replace: "this.id = options.sink.name;",
  },
];
