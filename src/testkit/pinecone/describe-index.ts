import type { JsonObject } from "../../contracts/index.ts";
import { denseField, type IndexDefinition, isClassic, reservedFields } from "./index-definition.ts";

/** An index as the control plane knows it besides its definition. */
export interface IndexStatus {
  readonly host: string;
  readonly isReady: boolean;
}

/** An index as the API of 2026-07 describes it. */
export function describeIndex(definition: IndexDefinition, status: IndexStatus): JsonObject {
  const { name, cloud, region, cmekId, tags, deletionProtection } = definition;
  return {
    name,
    host: status.host,
    status: statusOf(status),
    deployment: { deployment_type: "managed", cloud, region, environment: `${region}-${cloud}` },
    read_capacity: {
      mode: "OnDemand",
      status: { state: "Ready", current_replicas: null, current_shards: null },
    },
    schema: { fields: describeFields(definition) },
    ...(cmekId === undefined ? {} : { cmek_id: cmekId }),
    tags: Object.keys(tags).length === 0 ? null : tags,
    deletion_protection: deletionProtection,
  };
}

/** Classic dense indexes report a sparse field too, and filterable metadata as fields without a type. */
function describeFields(definition: IndexDefinition): JsonObject {
  const { fields, filterable = [] } = definition;
  const declared = Object.entries(fields).map(
    ([name, field]) => [name, { description: null, ...field }] as const,
  );
  const sparse = { type: "sparse_vector", description: null };
  return Object.fromEntries([
    ...filterable.map((name) => [name, { filterable: true }] as const),
    ...(isClassic(definition) ? [[reservedFields.sparse, sparse] as const] : []),
    ...declared,
  ]);
}

/** An index as APIs before 2026-07 describe it. */
export function describeClassicIndex(definition: IndexDefinition, status: IndexStatus): JsonObject {
  const { name, cloud, region, tags, deletionProtection, filterable } = definition;
  const dense = denseField(definition);
  const fields = filterable?.map((field) => [field, { filterable: true }] as const);
  return {
    name,
    ...(dense === undefined ? {} : { dimension: dense.dimension }),
    metric: dense?.metric ?? "dotproduct",
    host: status.host,
    deletion_protection: deletionProtection,
    ...(Object.keys(tags).length === 0 ? {} : { tags }),
    spec: {
      serverless: {
        cloud,
        region,
        read_capacity: { mode: "OnDemand", status: { state: "Ready" } },
        ...(fields === undefined ? {} : { schema: { fields: Object.fromEntries(fields) } }),
      },
    },
    status: statusOf(status),
    vector_type: dense === undefined ? "sparse" : "dense",
  };
}

function statusOf({ isReady }: IndexStatus): JsonObject {
  return { ready: isReady, state: isReady ? "Ready" : "Initializing" };
}
