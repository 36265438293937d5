import type { Layout } from "../../../src/records/layout.ts";
import type { Connection } from "./connection.ts";
import type { DataPlane } from "./data-plane.ts";
import { poll } from "./poll.ts";
import { filterMisfits, type LiveIndex } from "./live-index.ts";
import type { NamespaceMarks } from "./marker-records.ts";

/** What a namespace is, freshly read. */
export interface Inspection {
  readonly live: LiveIndex;
  /** All records, also others'. */
  readonly records: number;
  readonly marks: NamespaceMarks;
  /** Why records of this pipeline do not fit, one sentence each. */
  readonly misfits: readonly string[];
}

const noMarks: NamespaceMarks = { marker: undefined, written: undefined };

/** Reads what the namespaces of one sink are. */
export class Inspector {
  readonly #connection: Connection;
  readonly #layout: Layout;
  /** Incarnations whose namespace was deleted: known for as long as the process lives. */
  readonly #deleted = new Set<string>();

  constructor(connection: Connection, layout: Layout) {
    this.#connection = connection;
    this.#layout = layout;
  }

  /** Undefined when there is no index. */
  async inspect(signal: AbortSignal): Promise<Inspection | undefined> {
    const found = await this.#connection.lookUp(signal);
    if (found === undefined) return undefined;
    const { host, dimension } = found;
    const plane = this.#connection.records(host);
    const isUsable = found.misfits.length === 0 && dimension !== undefined;
    const [{ records }, filterable, marks] = await Promise.all([
      plane.statistics(signal),
      this.#connection.filterable(found, signal),
      isUsable ? this.#connection.marker(host, dimension).read(signal) : noMarks,
    ]);
    const live = { ...found, filterable };
    const misfits = [...found.misfits, ...filterMisfits(this.#layout, filterable)];
    return { live, misfits, ...(await this.#believe(marks, records, plane, signal)) };
  }

  /**
   * The marker lies in another namespace and outlives the one that it is about. So where records were written and none
   * are, the namespace was deleted and its marker is void. Reads come behind writes: what was written a moment ago gets
   * the time to appear.
   */
  async #believe(
    marks: NamespaceMarks,
    records: number,
    plane: DataPlane,
    signal: AbortSignal,
  ): Promise<Pick<Inspection, "marks" | "records">> {
    const incarnation = marks.marker?.incarnation;
    const isOdd = incarnation !== undefined && marks.written === incarnation && records === 0;
    if (!isOdd) return { marks, records };
    let found = 0;
    if (!this.#deleted.has(incarnation)) {
      const { visibility_timeout_ms: limitMs } = this.#connection.config;
      await poll(plane.options.client.clock, limitMs, signal, async () => {
        const { ids } = await plane.list("", undefined, signal);
        found = Math.max(ids.length, (await plane.statistics(signal)).records);
        return found > 0;
      });
    }
    if (found > 0) return { marks, records: found };
    this.#deleted.add(incarnation);
    return { marks: noMarks, records };
  }
}
