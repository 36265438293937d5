import type { CollectionSpec } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import type { Column, Layout } from "../../../src/records/layout.ts";
import type { MilvusConfig } from "./config.ts";
import { createdProperties } from "./marker.ts";
import { toPairs, type KeyValue } from "./messages.ts";
import { firstField } from "./protobuf.ts";
import { metricNames } from "./reading.ts";
import { isAlwaysThere } from "./schema.ts";
import { knowsNull } from "./version.ts";
import type { CallOptions, Wire } from "./wire.ts";

/** The most that Milvus allows. */
const longestText = 65_535;
const mostItems = 4_096;
/** Of a UUID; fingerprints and revisions are shorter. */
const longestId = 64;

/** A field as it is to be made. */
interface NewField {
  readonly name: string;
  readonly data_type: string;
  readonly element_type?: string;
  readonly type_params: readonly KeyValue[];
  readonly is_primary_key?: boolean;
  readonly is_partition_key?: boolean;
  readonly nullable?: boolean;
}

/** What is to be made, and how. */
export interface Creation {
  readonly wire: Wire;
  readonly config: MilvusConfig;
  readonly layout: Layout;
  readonly spec: CollectionSpec;
  /** Names this creation. */
  readonly uuid: string;
}

/** Makes the collection and its index. Does not load it. */
export async function createCollection(creation: Creation, call: CallOptions): Promise<void> {
  const { wire, config, layout, spec, uuid } = creation;
  const { version } = await wire.call("GetVersion", {}, call);
  const fields = newFields(creation, knowsNull(version));
  const schema = {
    name: config.collection,
    fields,
    enable_dynamic_field: config.create.dynamic_field,
  };
  // The schema travels as bytes; the only door to its encoder is an answer that has it.
  const answer = await wire.encodePart("DescribeCollection", "schema", schema);
  const { consistency, shards, partitions } = config.create;
  const request = {
    collection_name: config.collection,
    schema: firstField(answer),
    shards_num: shards,
    consistency_level: `${consistency.slice(0, 1).toUpperCase()}${consistency.slice(1)}`,
    properties: createdProperties(uuid),
    ...(partitions === undefined ? {} : { num_partitions: partitions }),
  };
  await wire.call("CreateCollection", request, call);
  await createIndex(config, layout, wire, spec.metric, call);
}

/** Makes the index on the vectors; again, if that is how it is already. */
export async function createIndex(
  config: MilvusConfig,
  layout: Layout,
  wire: Wire,
  metric: CollectionSpec["metric"],
  call: CallOptions,
): Promise<void> {
  const { index: type, index_params: params } = config.create;
  const request = {
    collection_name: config.collection,
    field_name: layout.find("vector")?.name ?? "vector",
    extra_params: toPairs({
      index_type: type,
      metric_type: metricNames[metric],
      ...(Object.keys(params).length === 0 ? {} : { params }),
    }),
  };
  await wire.call("CreateIndex", request, call);
}

/**
 * The fields of a new collection. Those that not every record has are nullable; a server that knows no null keeps them
 * in the dynamic field.
 */
function newFields({ config, layout, spec }: Creation, nullable: boolean): NewField[] {
  const { partition_key: partitionKey, dynamic_field: dynamic } = config.create;
  const fields: NewField[] = [];
  const homeless: string[] = [];
  for (const column of layout.columns) {
    const isKey = column.field === partitionKey;
    const always = column.required || isAlwaysThere(column) || isKey;
    if (!always && !nullable) {
      if (column.field !== "position") homeless.push(column.field);
      continue;
    }
    fields.push({
      name: column.name,
      ...typeOf(column, spec.dimension),
      ...(column.field === "id" ? { is_primary_key: true } : {}),
      ...(isKey ? { is_partition_key: true } : {}),
      ...(always ? {} : { nullable: true }),
    });
  }
  if (dynamic || homeless.length === 0) return fields;
  throw new Fault(
    "config.invalid",
    `This server cannot keep fields that may be missing (${homeless.join(", ")}) except in the dynamic field: fields ` +
      "that may be null need Milvus 2.5. Set `create.dynamic_field: true`, or leave them out with `omit`.",
  );
}

function typeOf(
  { field, type }: Column,
  dimension: number,
): Pick<NewField, "data_type" | "element_type" | "type_params"> {
  switch (type) {
    case "vector":
      return { data_type: "FloatVector", type_params: toPairs({ dim: dimension }) };
    case "string": {
      const isShort = ["id", "fingerprint", "revision"].includes(field);
      const max_length = isShort ? longestId : longestText;
      return { data_type: "VarChar", type_params: toPairs({ max_length }) };
    }
    case "json":
      return { data_type: "JSON", type_params: [] };
    case "string_list":
      return {
        data_type: "Array",
        element_type: "VarChar",
        type_params: toPairs({ max_length: longestText, max_capacity: mostItems }),
      };
    case "integer":
    case "timestamp":
      return { data_type: "Int64", type_params: [] };
    case "float":
      return { data_type: "Double", type_params: [] };
    case "boolean":
      return { data_type: "Bool", type_params: [] };
  }
}

/** Whether a field may decide the partition: Milvus takes texts and integers. */
export function checkPartitionKey(key: string | undefined, layout: Layout, sink: string): void {
  if (key === undefined) return;
  const column = layout.find(key);
  if (column !== undefined && key !== "id" && /^(?:string|integer)$/.test(column.type)) return;
  const fitting = layout.columns
    .filter(({ field, type }) => field !== "id" && /^(?:string|integer)$/.test(type))
    .map(({ field }) => `\`${field}\``);
  throw new Fault(
    "config.invalid",
    `Sink \`${sink}\`: \`create.partition_key\` names \`${key}\`, expected a field with texts or integers: ` +
      `${fitting.join(", ")}.`,
  );
}
