import { isFault } from "../../../src/faults/index.ts";
import { createMarkerProperty, createProperty } from "./class-body.ts";
import { parseClass } from "./class-schema.ts";
import { readSchema, type LiveSchema, type SchemaWishes } from "./live-schema.ts";
import type { WeaviateServer } from "./server.ts";

/**
 * Adds what the collection lacks and gives the schema as it is then: the property for markers, and in a collection that
 * sluice made, properties of fields that were declared later. Without it, a server would refuse them, or make properties
 * of its own liking.
 */
export async function completeSchema(
  server: WeaviateServer,
  schema: LiveSchema,
  wishes: SchemaWishes,
  signal: AbortSignal,
): Promise<LiveSchema> {
  const bodies = schema.hasMarkerProperty ? [] : [createMarkerProperty()];
  if (schema.madeDimension !== undefined) {
    for (const column of schema.missing) bodies.push(createProperty(column));
  }
  if (bodies.length === 0) return schema;
  const path = `/schema/${schema.collection}`;
  for (const body of bodies) {
    try {
      const call = { method: "POST", path: `${path}/properties`, body } as const;
      await server.rest("changed", call, signal);
    } catch (error) {
      // Another pipeline may have added it at the same moment.
      if (!isFault(error) || !/already (?:in use|exists)|it exists already/.test(error.message)) {
        throw error;
      }
    }
  }
  const { body } = await server.rest("read", { method: "GET", path }, signal);
  return readSchema(parseClass(body, server.options.place.shown), wishes);
}
