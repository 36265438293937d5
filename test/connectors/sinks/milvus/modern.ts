import type { Answers } from "./fake-milvus.ts";

/** A field as a server describes it. */
export function field(
  name: string,
  type: string,
  changes: Readonly<Record<string, unknown>> & {
    readonly params?: Readonly<Record<string, number>>;
  } = {},
): object {
  const { params = {}, ...rest } = changes;
  const type_params = Object.entries(params).map(([key, value]) => ({ key, value: String(value) }));
  return { name, data_type: type, type_params, ...rest };
}

const short = { params: { max_length: 64 } };
const long = { params: { max_length: 65_535 } };
const optional = { ...long, nullable: true };

/** The fields that sluice makes on a server of Milvus 2.5 or later, without declared ones. */
export const usualFields: readonly object[] = [
  field("id", "VarChar", { ...short, is_primary_key: true }),
  field("vector", "FloatVector", { params: { dim: 4 } }),
  field("text", "VarChar", long),
  field("document", "VarChar", long),
  field("source", "VarChar", long),
  field("title", "VarChar", optional),
  field("uri", "VarChar", optional),
  field("headings", "Array", {
    element_type: "VarChar",
    params: { max_length: 65_535, max_capacity: 4_096 },
  }),
  field("page", "Int64", { nullable: true }),
  field("position", "Int64", { nullable: true }),
  field("metadata", "JSON"),
  field("pipeline", "VarChar", long),
  field("fingerprint", "VarChar", short),
  field("revision", "VarChar", short),
];

/** What a server says of a collection with these fields. */
export function described(
  fields: readonly object[] = usualFields,
  changes: Readonly<Record<string, unknown>> = {},
): object {
  const { enable_dynamic_field = false, ...rest } = changes;
  return {
    schema: { name: "handbook", fields, enable_dynamic_field },
    collectionID: "4711",
    created_timestamp: "1",
    collection_name: "handbook",
    ...rest,
  };
}

/** The answers of a Milvus 2.6 with one collection, loaded and empty. */
export function modernMilvus(collection: object = described()): Answers {
  return {
    GetVersion: { version: "v2.6.4" },
    DescribeCollection: collection,
    DescribeIndex: {
      index_descriptions: [
        {
          field_name: "vector",
          params: [
            { key: "index_type", value: "HNSW" },
            { key: "metric_type", value: "COSINE" },
          ],
        },
      ],
    },
    GetLoadState: { state: "LoadStateLoaded" },
    Query: {
      fields_data: [
        { type: "Int64", field_name: "count(*)", scalars: { long_data: { data: ["0"] } } },
      ],
    },
  };
}
