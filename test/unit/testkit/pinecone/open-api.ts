import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import { parse } from "yaml";

/** A request and its answer, as they went over the wire. */
export interface Exchange {
  readonly method: string;
  readonly url: string;
  /** Parsed; undefined when nothing was sent. */
  readonly sent: unknown;
  readonly status: number;
  readonly type: string | undefined;
  /** Parsed when it is JSON, else the text. */
  readonly received: unknown;
}

/** The parts of an OpenAPI 3.0 document that are used here. */
export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation | undefined>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

interface OpenApiOperation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content } | undefined>>;
}

interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required?: boolean;
  readonly schema: { readonly type: string };
}

type Content = Readonly<Partial<Record<"application/json", { readonly schema: object }>>>;

/** Reads the official descriptions of both planes from a folder. */
export function readDocuments(folder: string): readonly OpenApiDocument[] {
  return ["db_control_2026-04.oas.yaml", "db_data_2026-04.oas.yaml"].map(
    (name) => parse(readFileSync(join(folder, name), "utf8")) as OpenApiDocument,
  );
}

/**
 * Holds exchanges against descriptions. Objects have no fields but those that are described, unless none are. Limits of
 * arrays, which Pinecone writes as those of texts, are meant.
 */
export class Description {
  readonly #operations: readonly DescribedOperation[];

  constructor(documents: readonly OpenApiDocument[]) {
    this.#operations = documents.flatMap((document, index) => operationsOf(document, `d${index}`));
  }

  /** The operation that a request is for. */
  operationOf(exchange: Exchange): string | undefined {
    return this.#find(exchange)?.id;
  }

  /** What is wrong with an answer. */
  answerProblems(exchange: Exchange): readonly string[] {
    const operation = this.#find(exchange);
    if (operation === undefined) return ["no such operation"];
    const { status, type, received } = exchange;
    // Both planes tell a wrong key as plain text, whatever is described.
    if (status === 401 && type === "text/plain") return [];
    const response = operation.responses.find(({ pattern }) => pattern.test(`${status}`));
    if (response === undefined) return [`status ${status} is not described`];
    if (response.validate === undefined) return received === "" ? [] : ["the answer has a body"];
    if (type !== "application/json") return [`the answer is of the type ${type}`];
    return problems(response.validate, received);
  }

  /** What is wrong with a request. */
  requestProblems(exchange: Exchange): readonly string[] {
    const operation = this.#find(exchange);
    if (operation === undefined) return ["no such operation"];
    const body =
      operation.body === undefined
        ? exchange.sent === undefined
          ? []
          : ["the request has a body"]
        : problems(operation.body, exchange.sent);
    return [...body, ...queryProblems(operation.parameters, new URL(exchange.url).searchParams)];
  }

  #find({ method, url }: Exchange): DescribedOperation | undefined {
    const { pathname } = new URL(url);
    return this.#operations.find(
      (operation) => operation.method === method.toLowerCase() && operation.path.test(pathname),
    );
  }
}

interface DescribedOperation {
  readonly id: string;
  readonly method: string;
  readonly path: RegExp;
  readonly parameters: readonly Parameter[];
  readonly body: ValidateFunction | undefined;
  /** Exact statuses come before patterns such as `4XX`. */
  readonly responses: readonly {
    readonly pattern: RegExp;
    readonly validate: ValidateFunction | undefined;
  }[];
}

function operationsOf(document: OpenApiDocument, id: string): readonly DescribedOperation[] {
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema({ $id: id, components: asJsonSchema(document.components) as object });
  const compile = (content: Content | undefined): ValidateFunction | undefined => {
    const schema = content?.["application/json"]?.schema;
    if (schema === undefined) return undefined;
    return ajv.compile(asJsonSchema(schema, (ref) => `${id}${ref}`) as object);
  };
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      if (operation === undefined) return [];
      const statuses = Object.entries(operation.responses).toSorted(
        ([one], [other]) => Number(one.endsWith("XX")) - Number(other.endsWith("XX")),
      );
      return {
        id: operation.operationId,
        method,
        path: new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`),
        parameters: operation.parameters?.filter((parameter) => parameter.in === "query") ?? [],
        body: compile(operation.requestBody?.content),
        responses: statuses.map(([status, response]) => ({
          pattern: new RegExp(`^${status.replaceAll("X", "\\d")}$`),
          validate: compile(response?.content),
        })),
      };
    }),
  );
}

/** What OpenAPI 3.0 and Pinecone write in ways of their own, as JSON Schema has it. */
export function asJsonSchema(
  schema: unknown,
  place: (ref: string) => string = (ref) => ref,
): unknown {
  if (Array.isArray(schema)) return schema.map((item) => asJsonSchema(item, place));
  if (typeof schema !== "object" || schema === null) return schema;
  const converted: Record<string, unknown> = Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => key !== "example" && key !== "examples")
      .map(([key, value]) => [key, asJsonSchema(value, place)]),
  );
  if (typeof converted["$ref"] === "string") return { $ref: place(converted["$ref"]) };
  if (converted["type"] === "array") {
    const { minLength, maxLength, ...rest } = converted;
    return { ...rest, ...defined("minItems", minLength), ...defined("maxItems", maxLength) };
  }
  const isClosed = converted["type"] === "object" && typeof converted["properties"] === "object";
  return isClosed ? { additionalProperties: false, ...converted } : converted;
}

function defined(name: string, value: unknown): object {
  return value === undefined ? {} : { [name]: value };
}

function problems(validate: ValidateFunction, value: unknown): readonly string[] {
  if (validate(value) === true) return [];
  return (validate.errors ?? []).map(({ instancePath, message, params }) =>
    `${instancePath || "/"} ${message ?? ""} ${JSON.stringify(params)}`.trim(),
  );
}

function queryProblems(
  parameters: readonly Parameter[],
  query: URLSearchParams,
): readonly string[] {
  const unknown = [...new Set(query.keys())]
    .filter((name) => !parameters.some((parameter) => parameter.name === name))
    .map((name) => `the parameter ${name} is not described`);
  const wrong = parameters.flatMap(({ name, required, schema }) => {
    const values = query.getAll(name);
    if (values.length === 0) return required === true ? [`the parameter ${name} is missing`] : [];
    if (values.length > 1 && schema.type !== "array") return [`the parameter ${name} comes twice`];
    if (schema.type === "integer" && !values.every((value) => /^-?\d+$/.test(value))) {
      return [`the parameter ${name} is no integer`];
    }
    return [];
  });
  return [...unknown, ...wrong];
}
