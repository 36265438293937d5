import type { FaultLike, WriteOperation } from "../contracts/index.ts";
import { assert, Fault, isFault } from "../faults/index.ts";
import { bisect, Coalescer, join, type Outcome } from "../flow/index.ts";
import type { RunContext } from "./context.ts";
import type { Target } from "./targets.ts";

/** A write that is not full waits this long for company, or longer while another one is under way. */
const maxWaitMs = 20;
const busyWaitMs = 100;

/** What became of a document's operations at one target. */
export interface ApplyOutcome {
  /** By record id; empty when all took effect. */
  readonly failed: ReadonlyMap<string, FaultLike>;
}

/** Batches the operations of many documents into writes of one target, within its limits. */
export class TargetWriter {
  readonly #context: RunContext;
  readonly #target: Target;
  readonly #coalescer: Coalescer<WriteOperation, undefined>;
  /** Writes in a row whose outcome is unknown; too many and the sink is given up. */
  #unknown = 0;

  constructor(context: RunContext, target: Target) {
    this.#context = context;
    this.#target = target;
    this.#coalescer = new Coalescer({
      limits: () => ({
        items: target.collection.limits.operationsPerWrite,
        weight: target.collection.limits.bytesPerWrite,
        concurrent: target.collection.limits.concurrentWrites,
      }),
      weigh: (operation) => target.collection.sizeOf(operation),
      call: (operations) => this.#write(operations),
      maxWaitMs,
      busyWaitMs,
      clock: context.clock,
    });
  }

  /** Applies the operations of one document; resolves when the outcome of each is known or given up. */
  async apply(operations: readonly WriteOperation[]): Promise<ApplyOutcome> {
    const outcomes = await join(operations.map((operation) => this.#coalescer.submit(operation)));
    const failed = new Map<string, FaultLike>();
    for (const [index, outcome] of outcomes.entries()) {
      const operation = operations[index];
      if (operation !== undefined && "fault" in outcome) failed.set(idOf(operation), outcome.fault);
    }
    return { failed };
  }

  async #write(operations: readonly WriteOperation[]): Promise<readonly Outcome<undefined>[]> {
    const { fault } = this.#target;
    if (fault !== undefined) return operations.map(() => ({ fault }));
    try {
      return await bisect(operations, (part) => this.#writeOnce(part));
    } catch (error) {
      return this.#giveUp(operations, error);
    }
  }

  /** A fault of the whole write: its documents are owed; whether the sink is given up depends on the fault. */
  #giveUp(operations: readonly WriteOperation[], error: unknown): readonly Outcome<undefined>[] {
    if (!isFault(error)) {
      this.#context.fail(`sinks.${this.#target.name}`, error);
      return operations.map(() => ({ fault: new Fault("aborted", "The run was stopped.") }));
    }
    if (error.ambiguous) this.#unknown += 1;
    const { attempts } = this.#context.pipeline.policy.retry;
    if (!error.ambiguous || this.#unknown >= attempts) this.#target.fail(error);
    return operations.map(() => ({ fault: error }));
  }

  async #writeOnce(operations: readonly WriteOperation[]): Promise<readonly Outcome<undefined>[]> {
    this.#checkBeforeLeaving(operations);
    const { collection, name } = this.#target;
    const { signal } = this.#context;
    const outcome = await this.#context.retry(
      `sinks.${name}`,
      () => collection.write(operations, signal),
      false,
    );
    this.#unknown = 0;
    this.#target.visibility.note(outcome.visible);
    let upserted = 0;
    let deleted = 0;
    const outcomes = operations.map((operation): Outcome<undefined> => {
      const fault = outcome.failed.get(idOf(operation));
      if (fault !== undefined) return { fault };
      if (operation.kind === "upsert") upserted += 1;
      else deleted += 1;
      return { value: undefined };
    });
    this.#context.emit({ kind: "records-written", sink: name, upserted, deleted });
    return outcomes;
  }

  /** The last line before the wire: no vector of a wrong kind ever leaves. */
  #checkBeforeLeaving(operations: readonly WriteOperation[]): void {
    for (const operation of operations) {
      if (operation.kind === "delete") continue;
      const { vector } = operation.record;
      assert(
        vector.length === this.#target.dimension,
        `A vector of length ${vector.length} was about to leave for sink \`${this.#target.name}\`, ` +
          `whose collection has dimension ${this.#target.dimension}.`,
      );
      let square = 0;
      for (let index = 0; index < vector.length; index += 1) {
        const value = vector[index] ?? Number.NaN;
        square += value * value;
      }
      assert(
        Math.abs(Math.sqrt(square) - 1) <= 1e-3,
        `A vector of norm ${Math.sqrt(square)} was about to leave for sink \`${this.#target.name}\`; 1 is expected.`,
      );
    }
  }
}

function idOf(operation: WriteOperation): string {
  return operation.kind === "upsert" ? operation.record.id : operation.id;
}
