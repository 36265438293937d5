import type { VectorRecord } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";

/** The fault of `create` for a collection that is there. */
export function collectionExists(address: string): Fault {
  return new Fault("sink.rejected", `The collection ${address} exists already.`, {
    retry: "never",
    scope: "component",
  });
}

/** The fault of `open` for a collection that is not there. */
export function collectionMissing(address: string): Fault {
  return new Fault(
    "sink.missing",
    `The collection ${address} does not exist. Run the pipeline to create it.`,
  );
}

/** The fault of `open` for a collection that cannot hold records; `problem` is one or more sentences. */
export function collectionUnusable(address: string, problem: string): Fault {
  return new Fault("sink.foreign", `The collection ${address} cannot be used: ${problem}`);
}

/** The fault of a marker whose form is unknown; `place` is what to name another one of. */
export function markerUnreadable(address: string, cause: unknown, place = "collection"): Fault {
  return new Fault(
    "sink.foreign",
    `The marker of ${address} cannot be read: a newer version of sluice wrote it, or it was changed. Upgrade sluice, ` +
      `or name another ${place}.`,
    { cause },
  );
}

/** Why one record was not sent; `problem` goes on after "cannot be stored: ". */
export function recordRejected({ id, document }: VectorRecord, problem: string): Fault {
  return new Fault(
    "sink.rejected",
    `Record \`${id}\` of document \`${document}\` cannot be stored: ${problem}.`,
    { retry: "never" },
  );
}

/** Rejects a search whose vector does not have the collection's length. */
export function checkQuery(vector: Float32Array, dimension: number, address: string): void {
  if (vector.length === dimension) return;
  throw new Fault(
    "sink.dimension",
    `The query has ${vector.length} numbers, the collection ${address} has ${dimension}.`,
  );
}
