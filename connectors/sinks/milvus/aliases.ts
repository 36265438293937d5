import type { CollectionAliases } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import type { CallOptions, Wire } from "./wire.ts";

const noCollection = 100;
/** What servers answer when there is no such alias: Milvus, and Milvus Lite, which says the same of a collection. */
const noAlias = [1600, noCollection];

/** The aliases of a sink's database. `address` is the sink's. */
export function createAliases(wire: Wire, address: string): CollectionAliases {
  const about = (alias: string, verb: "read" | "set", signal: AbortSignal): CallOptions => {
    return { address, subject: `The alias \`${alias}\``, verb, signal, expected: noAlias };
  };
  return {
    async list(signal) {
      const call: CallOptions = { address, subject: "The list of aliases", verb: "read", signal };
      const { aliases } = await wire.call("ListAliases", {}, call);
      const found = new Map<string, string>();
      for (const alias of aliases) {
        const answer = await wire.call("DescribeAlias", { alias }, about(alias, "read", signal));
        if (answer.status.code === 0) found.set(alias, answer.collection);
      }
      return found;
    },
    async point(alias, collection, signal) {
      const request = { alias, collection_name: collection };
      const call = about(alias, "set", signal);
      const { code: missing } = await wire.call("AlterAlias", request, call);
      if (missing === 0) return;
      const { code } = await wire.call("CreateAlias", request, call);
      if (code === 0) return;
      throw new Fault(
        "sink.missing",
        `The alias \`${alias}\` cannot be set: there is no collection \`${collection}\`.`,
      );
    },
    async remove(alias, signal) {
      await wire.call("DropAlias", { alias }, about(alias, "set", signal));
    },
  };
}
