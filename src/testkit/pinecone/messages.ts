import type { Json } from "../../contracts/index.ts";
import { isList } from "./json.ts";
import { limits } from "./limits.ts";

/**
 * What the service has been seen to say, word for word; an adapter may look for it. Refusals that are worded elsewhere
 * in this folder have the service's status and code, but our words.
 */
export const messages = {
  unauthorized: "Invalid API Key",
  dimension: (given: number, wanted: number) =>
    `Vector dimension ${given} does not match the dimension of the index ${wanted}`,
  zeros: (id: string) =>
    "Dense vectors must contain at least one non-zero value. " +
    `Vector ID '${id}' contains only zeros`,
  idNotAscii: (id: string) => `Vector ID must be ASCII, but got '${id}'`,
  idNull: "Vector ID must not contain null character",
  metadataSize: (bytes: number) =>
    `Metadata size is ${bytes} bytes, which exceeds the limit of ${limits.metadataBytes} bytes per vector`,
  metadataValue: (value: Json, field: string) =>
    "Metadata value must be a string, number, boolean or list of strings, " +
    `got '${shortened(rendered(value))}' for field '${field}'`,
  metadataKey: (field: string) => `Metadata field '${field}' cannot start with '$'`,
  upsertSize: (bytes: number) =>
    `Request size ${Math.ceil(bytes / 1024 / 1024)}MB exceeds the maximum supported size of 2MB`,
  messageSize: (bytes: number) =>
    `Error, message length too large: found ${bytes} bytes, the limit is: ${limits.messageBytes} bytes`,
  namespaceNotFound: "Namespace not found",
  statsFilter:
    "Serverless and Starter indexes do not support describing index stats with metadata filtering",
  operand: (operator: string, wanted: string, given: Json) =>
    `the ${operator} operator must be followed by ${wanted}, got ${JSON.stringify(given)} instead`,
  condition: (field: string, given: Json) =>
    `illegal condition for field ${field}, got ${JSON.stringify(given)}`,
  indexNotFound: (name: string) => `Index ${name} not found.`,
  indexExists: "Resource already exists.",
  indexName:
    "Index name must contain only lowercase alphanumeric characters or hyphens, " +
    "and must not begin or end with a hyphen.",
  noRegion: (cloud: string, region: string) =>
    `Resource cloud: ${cloud} region: ${region} not found.`,
  protected:
    "Deletion protection is enabled for this index. Disable deletion protection before retrying.",
  emptySchema:
    "Schema must contain at least one of the following field types: " +
    "dense_vector, sparse_vector, string with full_text_search",
  filterField: (field: string) =>
    "The schema only accepts fields used for search (field types `dense_vector`, `sparse_vector`, " +
    "and `string` with `full_text_search` configuration). " +
    `To use field '${field}' for filtering (field types \`boolean\`, \`float\`, \`string\`, ` +
    "or `string_list`), omit it from the schema.",
  undeserializable: (problem: string) =>
    `Failed to deserialize the JSON body into the target type: ${problem}`,
  noCapacity: (limit: string, what: string) =>
    `Request failed. You've reached the max ${limit}. ` +
    `Pace your ${what} or contact Pinecone Support to request a higher limit.`,
} as const;

/** JSON as the service writes it: all its numbers are doubles, and show it. */
function rendered(value: Json): string {
  if (typeof value === "number") return Number.isInteger(value) ? `${value}.0` : String(value);
  if (isList(value)) return `[${value.map((item) => rendered(item)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value);
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${rendered(item)}`).join(",")}}`;
}

function shortened(text: string): string {
  return text.length > 16 ? `${text.slice(0, 16)}...` : text;
}
