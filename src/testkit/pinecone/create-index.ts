import { randomBytes } from "node:crypto";
import type { Json } from "../../contracts/index.ts";
import { Fields } from "./fields.ts";
import { type IndexDefinition, reservedFields, type SchemaField } from "./index-definition.ts";
import { checkDimension, checkMetric, readSchema } from "./index-schema.ts";
import {
  checkReadCapacity,
  mergeTags,
  readFilterable,
  readProtection,
  readTags,
  unsupported,
} from "./index-settings.ts";
import { limits } from "./limits.ts";
import { messages } from "./messages.ts";
import { Refusal } from "./refusal.ts";

/** Reads a request for an index as the API of 2026-07 has it: a schema and a deployment. */
export function readCreateRequest(body: Json): IndexDefinition {
  const fields = new Fields(body, "", "control", [
    "name",
    "deployment",
    "schema",
    "cmek_id",
    "read_capacity",
    "tags",
    "deletion_protection",
  ]);
  const schema = fields.required("schema", fields.fields("schema", ["fields"]));
  const cmekId = fields.string("cmek_id");
  return {
    name: checkName(fields.string("name") ?? `index-${randomBytes(4).toString("hex")}`),
    ...readDeployment(fields),
    fields: readSchema(schema),
    ...(cmekId === undefined ? {} : { cmekId }),
    tags: mergeTags({}, readTags(fields, "printable")),
    deletionProtection: readProtection(fields) ?? "disabled",
  };
}

/** Reads a request as APIs before 2026-07 have it: dimension, metric and spec. Makes classic indexes only. */
export function readClassicCreateRequest(body: Json): IndexDefinition {
  const fields = new Fields(body, "", "control", [
    "name",
    "dimension",
    "metric",
    "spec",
    "vector_type",
    "tags",
    "deletion_protection",
  ]);
  const name = checkName(fields.required("name", fields.string("name")));
  const place = readSpec(fields.required("spec", fields.json("spec")));
  return {
    name,
    ...place,
    fields: readClassicFields(fields),
    tags: mergeTags({}, readTags(fields, "plain")),
    deletionProtection: readProtection(fields) ?? "disabled",
  };
}

function checkName(name: string): string {
  if (name.length < 1 || name.length > limits.nameLength) {
    const rule = `Index name must be 1 to ${limits.nameLength} characters long`;
    throw new Refusal(400, `${rule}, but got ${name.length}.`);
  }
  if (!/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(name)) throw new Refusal(400, messages.indexName);
  return name;
}

function readDeployment(fields: Fields): { readonly cloud: string; readonly region: string } {
  const deployment = fields.fields("deployment", [
    "deployment_type",
    "cloud",
    "region",
    "environment",
  ]);
  checkReadCapacity(fields);
  if (deployment === undefined) return { cloud: "aws", region: "us-east-1" };
  const type = deployment.required("deployment_type", deployment.string("deployment_type"));
  if (type === "byoc" || type === "pod") throw unsupported(`deployments of the type \`${type}\``);
  if (type !== "managed") {
    const problem = `deployment: unknown variant \`${type}\`, expected \`managed\` or \`byoc\``;
    throw new Refusal(422, messages.undeserializable(problem));
  }
  return readPlace(deployment);
}

function readSpec(spec: Json) {
  const fields = new Fields(spec, "spec", "control", ["serverless", "pod", "byoc"]);
  for (const kind of ["pod", "byoc"]) {
    if (fields.json(kind) !== undefined) throw unsupported(`\`spec.${kind}\``);
  }
  const known = ["cloud", "region", "read_capacity", "source_collection", "schema"];
  const serverless = fields.required("serverless", fields.fields("serverless", known));
  checkReadCapacity(serverless);
  if (serverless.json("source_collection") !== undefined) throw unsupported("`source_collection`");
  const filterable = readFilterable(serverless);
  return { ...readPlace(serverless), ...(filterable === undefined ? {} : { filterable }) };
}

function readPlace(fields: Fields): { readonly cloud: string; readonly region: string } {
  const cloud = fields.required("cloud", fields.string("cloud"));
  const region = fields.required("region", fields.string("region"));
  if (regions[cloud]?.includes(region) !== true) {
    throw new Refusal(404, messages.noRegion(cloud, region));
  }
  return { cloud, region };
}

const regions: Readonly<Record<string, readonly string[]>> = {
  aws: ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1"],
  gcp: ["us-central1", "europe-west4"],
  azure: ["eastus2"],
};

function readClassicFields(fields: Fields): Readonly<Record<string, SchemaField>> {
  const type = fields.string("vector_type") ?? "dense";
  const dimension = fields.integer("dimension");
  const metric = fields.string("metric");
  if (type === "sparse") {
    if (dimension !== undefined) {
      throw new Refusal(400, "Dimension cannot be specified for a sparse index.");
    }
    if (metric !== undefined && metric !== "dotproduct") {
      throw new Refusal(400, "The metric of a sparse index must be `dotproduct`.");
    }
    return { [reservedFields.sparse]: { type: "sparse_vector" } };
  }
  if (type !== "dense") {
    throw new Refusal(400, `The vector type must be \`dense\` or \`sparse\`, but got '${type}'.`);
  }
  if (dimension === undefined) {
    throw new Refusal(400, "Dimension must be specified for a dense index.");
  }
  return {
    [reservedFields.dense]: {
      type: "dense_vector",
      dimension: checkDimension(dimension),
      metric: checkMetric(metric ?? "cosine"),
    },
  };
}
