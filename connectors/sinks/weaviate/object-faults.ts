import type { FaultLike, VectorRecord } from "../../../src/contracts/index.ts";
import { objectFault, unknownObjectFault, type FailedCall } from "./faults.ts";

/**
 * The faults of single records of a batch, by what the server says of objects by their position. The server says of one
 * object only what holds for a whole shard (that it is read-only, or cannot be loaded), and nothing of the others, which
 * it did not take either. So an error that does not lie in its object rejects the batch; and so does one that is not
 * known, to be tried in smaller ones, until it is told of a batch of one.
 */
export function faultsOf(
  records: readonly VectorRecord[],
  errors: ReadonlyMap<number, string>,
  call: FailedCall,
): ReadonlyMap<string, FaultLike> {
  const failed = new Map<string, FaultLike>();
  for (const [index, text] of errors) {
    const record = records[index];
    if (record === undefined) continue;
    const name = `record \`${record.id}\` of document \`${record.document}\``;
    const fault = objectFault(name, text, call);
    if (fault?.scope === "component") throw fault;
    if (fault === undefined && records.length > 1) {
      throw unknownObjectFault(name, text, call, "smaller");
    }
    failed.set(record.id, fault ?? unknownObjectFault(name, text, call, "never"));
  }
  return failed;
}
