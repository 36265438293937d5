import type { CollectionMarker } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { parseClass } from "./class-schema.ts";
import { problemOf, readSchema, type LiveSchema, type SchemaWishes } from "./live-schema.ts";
import { isMarkerId, noMarks, readMarks } from "./marker.ts";
import { Objects } from "./objects.ts";
import type { WeaviateServer } from "./server.ts";
import type { WireTarget } from "./wire-batch.ts";

/** Objects that are looked at for one with a vector; those without one cost little. */
const objectsLookedAt = 10_000;
const firstLook = 20;

/** What a collection is, freshly read. */
export interface Inspection {
  readonly schema: LiveSchema;
  readonly objects: Objects;
  readonly marker: CollectionMarker | undefined;
  /** Without those of the marker. */
  readonly records: number;
  /** Undefined while there is no vector, and sluice did not make the collection. */
  readonly dimension: number | undefined;
}

export interface InspectOptions {
  readonly server: WeaviateServer;
  readonly wishes: SchemaWishes;
  readonly consistency: WireTarget["consistency"];
}

/** Reads the schema; undefined when there is no such collection. */
export async function readClass(
  { server, wishes }: InspectOptions,
  signal: AbortSignal,
): Promise<LiveSchema | undefined> {
  const { collection, shown } = server.options.place;
  const call = { method: "GET", path: `/schema/${collection}` } as const;
  const { status, body } = await server.rest("read", call, signal);
  return status === 404 ? undefined : readSchema(parseClass(body, shown), wishes);
}

/** Looks at the collection, or at the tenant; undefined when it does not exist. */
export async function inspect(
  options: InspectOptions,
  signal: AbortSignal,
): Promise<Inspection | undefined> {
  const schema = await readClass(options, signal);
  if (schema === undefined) return undefined;
  const objects = objectsOf(options, schema);
  const { place } = options.server.options;
  const nothing = { schema, objects, marker: undefined, records: 0, dimension: undefined };
  // A misfit says so; nothing can be asked.
  if (schema.hasTenants !== (place.tenant !== undefined)) return nothing;
  if (place.tenant !== undefined && !(await hasTenant(options, schema, signal))) {
    // Where the tenant could not be made, it is better told now.
    return problemOf(schema) === undefined ? undefined : nothing;
  }
  const [all, marks, found] = await Promise.all([
    objects.count(undefined, signal),
    schema.hasMarkerProperty ? readMarks(objects, place.shown, signal) : noMarks,
    storedDimension(objects, schema, signal),
  ]);
  return {
    schema,
    objects,
    marker: marks.marker,
    records: all - marks.objects,
    // Tenants of one collection may have vectors of different lengths.
    dimension: found ?? (place.tenant === undefined ? schema.madeDimension : marks.dimension),
  };
}

/** The objects of the collection of this schema. */
export function objectsOf({ server, consistency }: InspectOptions, schema: LiveSchema): Objects {
  const { tenant } = server.options.place;
  const target = { collection: schema.collection, tenant, consistency };
  return new Objects(server, target, schema.vector?.name);
}

async function hasTenant(
  { server }: InspectOptions,
  { collection, activatesTenants }: LiveSchema,
  signal: AbortSignal,
): Promise<boolean> {
  const { tenant, shown } = server.options.place;
  const call = { method: "GET", path: `/schema/${collection}/tenants/${tenant}` } as const;
  const { status, body } = await server.rest("read", call, signal);
  if (status === 404) return false;
  const activity = (body as { readonly activityStatus?: unknown } | undefined)?.activityStatus;
  if (activatesTenants || activity === "HOT" || activity === "ACTIVE") return true;
  throw new Fault(
    "sink.not-ready",
    `The collection ${shown} cannot be read: the tenant is not active (${String(activity)}). Activate it and run again.`,
    { retry: "never" },
  );
}

/** The length of the vectors there are; undefined when there is none among the objects that are looked at. */
async function storedDimension(
  objects: Objects,
  schema: LiveSchema,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (schema.vector === undefined || schema.vector.multivector) return undefined;
  const wanted = { properties: [], withVectors: true };
  let [last, lookedAt] = ["", 0];
  // Few at first: as a rule the first object has one, and so have all.
  for (const most of [firstLook, objectsLookedAt]) {
    for await (const page of objects.pages(last, wanted, signal, most)) {
      const found = page.find(({ id, vector }) => vector !== undefined && !isMarkerId(id));
      if (found?.vector !== undefined) return found.vector.length;
      lookedAt += page.length;
      last = page.at(-1)?.id ?? last;
      if (lookedAt >= most) break;
    }
  }
  return undefined;
}
