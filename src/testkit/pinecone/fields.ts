import type { Json, JsonObject } from "../../contracts/index.ts";
import { isList, isObject } from "./json.ts";
import { messages } from "./messages.ts";
import { type Plane, Refusal } from "./refusal.ts";

/**
 * A JSON object of a request. Null counts as absent. What has another type, and fields that nobody knows, are refused
 * as the plane does it.
 */
export class Fields {
  readonly object: JsonObject;
  readonly #path: string;
  readonly #plane: Plane;

  /** `path` is the object's place in the body, empty for the body itself. */
  constructor(value: Json, path: string, plane: Plane, known: readonly string[]) {
    this.#path = path;
    this.#plane = plane;
    if (!isObject(value)) throw this.#invalid("", value, "an object");
    this.object = value;
    const unknown = Object.keys(value).find((name) => !known.includes(name));
    if (unknown !== undefined) throw this.#unknown(unknown, known);
  }

  /** The place of a field in the body. */
  at(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`;
  }

  json(name: string): Json | undefined {
    const value = Object.hasOwn(this.object, name) ? this.object[name] : undefined;
    return value === null ? undefined : value;
  }

  string(name: string): string | undefined {
    const value = this.json(name);
    if (value === undefined || typeof value === "string") return value;
    throw this.#invalid(name, value, "TYPE_STRING");
  }

  boolean(name: string): boolean | undefined {
    const value = this.json(name);
    if (value === undefined || typeof value === "boolean") return value;
    throw this.#invalid(name, value, "TYPE_BOOL");
  }

  integer(name: string): number | undefined {
    const value = this.json(name);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isSafeInteger(value)) return value;
    throw this.#invalid(name, value, "TYPE_INT64");
  }

  list(name: string): readonly Json[] | undefined {
    const value = this.json(name);
    if (value === undefined) return undefined;
    if (isList(value)) return value;
    throw this.#invalid(name, value, "a list");
  }

  strings(name: string): readonly string[] | undefined {
    return this.list(name)?.map((value, index) => {
      if (typeof value === "string") return value;
      throw this.#invalid(`${name}[${index}]`, value, "TYPE_STRING");
    });
  }

  anyObject(name: string): JsonObject | undefined {
    const value = this.json(name);
    if (value === undefined || isObject(value)) return value;
    throw this.#invalid(name, value, "an object");
  }

  fields(name: string, known: readonly string[]): Fields | undefined {
    const value = this.json(name);
    return value === undefined ? undefined : this.within(name, value, known);
  }

  /** A value below a field, as an object. */
  within(name: string, value: Json, known: readonly string[]): Fields {
    return new Fields(value, this.at(name), this.#plane, known);
  }

  /** A value that must be there. */
  required<Value>(name: string, value: Value | undefined): Value {
    if (value !== undefined) return value;
    if (this.#plane === "data") throw new Refusal(400, `${this.at(name)}: missing required field`);
    throw new Refusal(422, messages.undeserializable(`missing field \`${this.at(name)}\``));
  }

  #invalid(name: string, value: Json, type: string): Refusal {
    const place = name === "" ? this.#path || "body" : this.at(name);
    const shown = JSON.stringify(value).slice(0, 100);
    if (this.#plane === "data") {
      return new Refusal(400, `${place}: invalid value ${shown} for type ${type}`);
    }
    const problem = `${place}: invalid type: ${shown}, expected ${type}`;
    return new Refusal(422, messages.undeserializable(problem));
  }

  #unknown(name: string, known: readonly string[]): Refusal {
    if (this.#plane === "data") return new Refusal(400, `${this.at(name)}: Cannot find field.`);
    const expected = known.map((field) => `\`${field}\``).join(", ");
    const problem = `unknown field \`${this.at(name)}\`, expected one of ${expected}`;
    return new Refusal(422, messages.undeserializable(problem));
  }
}
