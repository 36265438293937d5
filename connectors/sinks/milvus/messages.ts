/** The part of Milvus' messages that the sink uses, as the loader of the official client gives them. */

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

/** Every answer has one; some answers are nothing else. */
export interface Status {
  readonly code: number;
  /** The name of a code of old servers; `Success` when all is well. */
  readonly error_code: string | number;
  readonly reason: string;
}

export interface FieldSchema {
  readonly name: string;
  /** The name of a type: `VarChar`, `FloatVector`, … */
  readonly data_type: string;
  /** Of an array. */
  readonly element_type: string;
  readonly type_params: readonly KeyValue[];
  readonly is_primary_key: boolean;
  readonly autoID: boolean;
  readonly nullable: boolean;
  readonly is_partition_key: boolean;
  readonly is_function_output: boolean;
  readonly default_value: object | null;
}

export interface CollectionSchema {
  readonly fields: readonly FieldSchema[];
  readonly struct_array_fields: readonly { readonly name: string }[];
  readonly enable_dynamic_field: boolean;
}

/** What a collection is. Ids and times are decimal. */
export interface CollectionInfo {
  readonly schema: CollectionSchema;
  readonly collectionID: string;
  readonly created_timestamp: string;
  readonly properties: readonly KeyValue[];
}

/** A list of values in one of the protocol's types. */
export interface ScalarData {
  /** Which of the others is there. */
  readonly data?: string;
  readonly [kind: string]: unknown;
}

/** A column of an answer. */
export interface FieldData {
  readonly field_name: string;
  readonly scalars?: ScalarData | null;
  readonly vectors?: {
    readonly data?: string;
    readonly float_vector?: { readonly data: readonly number[] };
    readonly float16_vector?: Uint8Array;
    readonly bfloat16_vector?: Uint8Array;
  } | null;
  /** Which rows have a value; empty when all have. */
  readonly valid_data: readonly boolean[];
}

export interface IndexDescription {
  readonly field_name: string;
  readonly params: readonly KeyValue[];
}

interface Answered {
  readonly status: Status;
}

/** What each method answers. */
export interface Answers {
  readonly GetVersion: Answered & { readonly version: string };
  readonly CheckHealth: Answered & { readonly quota_states: readonly string[] };
  readonly ListDatabases: Answered & { readonly db_names: readonly string[] };
  readonly DescribeCollection: Answered & CollectionInfo;
  readonly GetCollectionStatistics: Answered & { readonly stats: readonly KeyValue[] };
  readonly CreateCollection: Status;
  readonly AlterCollection: Status;
  readonly CreateIndex: Status;
  readonly DescribeIndex: Answered & {
    readonly index_descriptions: readonly IndexDescription[];
  };
  readonly LoadCollection: Status;
  readonly ListAliases: Answered & { readonly aliases: readonly string[] };
  readonly DescribeAlias: Answered & { readonly collection: string };
  readonly AlterAlias: Status;
  readonly CreateAlias: Status;
  readonly DropAlias: Status;
  readonly GetLoadState: Answered & { readonly state: string };
  readonly Upsert: Answered & { readonly err_index: readonly number[] };
  readonly Delete: Answered;
  readonly Query: Answered & { readonly fields_data: readonly FieldData[] };
  readonly Search: Answered & {
    readonly results: {
      readonly fields_data: readonly FieldData[];
      readonly scores: readonly number[];
    } | null;
  };
}

export type Method = keyof Answers;

/** The value of a key in a list of pairs. */
export function valueFor(pairs: readonly KeyValue[], key: string): string | undefined {
  return pairs.find((pair) => pair.key === key)?.value;
}

/** Keys and values as Milvus takes them. */
export function toPairs(object: Readonly<Record<string, unknown>>): KeyValue[] {
  return Object.entries(object).map(([key, value]) => ({
    key,
    value: typeof value === "string" ? value : JSON.stringify(value),
  }));
}
