import { env } from "node:process";
import { beforeAll, describe, expect, it } from "vitest";
import { converse, type Said } from "./conversation.ts";
import { asJsonSchema, Description, type Exchange, readDocuments } from "./open-api.ts";

/** The folder of Pinecone's own OpenAPI descriptions, which are not part of the project. */
const folder = env["SLUICE_PINECONE_API"];

let said: readonly Said[];
beforeAll(async () => {
  said = await converse();
});

describe("a conversation with the emulator", () => {
  it("has an answer that is no mistake to everything, and refusals among them", () => {
    expect(said.filter(({ status }) => status >= 500)).toEqual([]);
    const statuses = new Set(said.map(({ status }) => status));
    expect([...statuses].toSorted()).toEqual([200, 201, 202, 400, 403, 404, 409, 422]);
    expect(said.filter(({ by, status }) => by === "client" && status !== 200)).toEqual([]);
    expect(said.filter(({ by }) => by === "client")).toHaveLength(16);
  });
});

describe("a description", () => {
  const item = { type: "object", properties: { id: { type: "string" } }, required: ["id"] };
  const description = new Description([
    {
      paths: {
        "/items/{name}": {
          get: {
            operationId: "getItems",
            parameters: [
              { in: "query", name: "limit", schema: { type: "integer" } },
              { in: "query", name: "ids", required: true, schema: { type: "array" } },
            ],
            responses: {
              "4XX": { content: { "application/json": { schema: { type: "string" } } } },
              "200": {
                content: {
                  "application/json": { schema: { $ref: "#/components/schemas/Items" } },
                },
              },
              "202": {},
            },
          },
        },
      },
      components: {
        schemas: {
          Item: item,
          Items: { type: "array", maxLength: 1, items: { $ref: "#/components/schemas/Item" } },
        },
      },
    },
  ]);
  const exchange: Exchange = {
    method: "GET",
    url: "http://127.0.0.1/items/a?ids=1&ids=2&limit=3",
    sent: undefined,
    status: 200,
    type: "application/json",
    received: [{ id: "a" }],
  };

  function answerProblems(changes: Partial<Exchange>): number {
    return description.answerProblems({ ...exchange, ...changes }).length;
  }

  function requestProblems(query: string, sent?: object): number {
    const url = `http://127.0.0.1/items/a?${query}`;
    return description.requestProblems({ ...exchange, url, sent }).length;
  }

  it("means limits of arrays where it writes those of texts", () => {
    const schema = { type: "array", minLength: 1, maxLength: 2, items: { type: "string" } };
    expect(asJsonSchema(schema)).toEqual({
      type: "array",
      minItems: 1,
      maxItems: 2,
      items: { type: "string" },
    });
    const text = { type: "string", maxLength: 2 };
    expect(asJsonSchema(text)).toEqual(text);
  });

  it("notices answers that are not as it says", () => {
    expect(answerProblems({})).toBe(0);
    expect(answerProblems({ received: [{}] })).toBe(1);
    expect(answerProblems({ received: [{ id: "a", more: 1 }] })).toBe(1);
    expect(answerProblems({ received: [{ id: "a" }, { id: "b" }] })).toBe(1);
    expect(answerProblems({ status: 201 })).toBe(1);
    expect(answerProblems({ status: 404, received: "no" })).toBe(0);
    expect(answerProblems({ status: 404, received: {} })).toBe(1);
    expect(answerProblems({ status: 404, received: "no", type: "text/plain" })).toBe(1);
    expect(answerProblems({ status: 202, received: "" })).toBe(0);
    expect(answerProblems({ status: 202, received: "x" })).toBe(1);
    expect(answerProblems({ url: "http://127.0.0.1/others" })).toBe(1);
  });

  it("notices requests that are not as it says", () => {
    expect(requestProblems("ids=1&ids=2&limit=3")).toBe(0);
    expect(requestProblems("limit=3")).toBe(1);
    expect(requestProblems("ids=1&limit=x")).toBe(1);
    expect(requestProblems("ids=1&limit=3&limit=4")).toBe(1);
    expect(requestProblems("ids=1&other=3")).toBe(1);
    expect(requestProblems("ids=1", {})).toBe(1);
  });
});

if (folder !== undefined) {
  describe("Pinecone's own description", () => {
    const description = new Description(readDocuments(folder));
    const operations = [
      "configure_index",
      "createNamespace",
      "create_index",
      "deleteNamespace",
      "deleteVectors",
      "delete_index",
      "describeIndexStats",
      "describeNamespace",
      "describe_index",
      "fetchVectors",
      "fetch_vectors_by_metadata",
      "listNamespacesOperation",
      "listVectors",
      "list_indexes",
      "queryVectors",
      "updateVector",
      "upsertVectors",
    ];

    it("has every operation that the emulator has, and all are used", () => {
      const used = new Set(said.filter(({ status }) => status < 300).map((each) => idOf(each)));
      expect([...used].toSorted()).toEqual(operations);
      const refused = new Set(said.filter(({ status }) => status >= 400).map((each) => idOf(each)));
      expect(operations.filter((operation) => !refused.has(operation))).toEqual(["list_indexes"]);
    });

    it("allows every answer that the emulator gives", () => {
      const wrong = said.flatMap((each) =>
        description
          .answerProblems(each)
          .map((problem) => `${idOf(each)} ${each.status}: ${problem}`),
      );
      expect([...new Set(wrong)]).toEqual([]);
    });

    it("allows every request that the client sends, and every other one that is served", () => {
      const served = said.filter(({ by, status }) => by === "client" || status < 400);
      const wrong = served.flatMap((each) =>
        description.requestProblems(each).map((problem) => `${idOf(each)}: ${problem}`),
      );
      expect([...new Set(wrong)]).toEqual([]);
    });

    it("would notice an answer of the emulator with a field too many", () => {
      const stats = said.find((each) => idOf(each) === "describeIndexStats")!;
      const received = { ...(stats.received as object), recordCount: 1 };
      expect(description.answerProblems({ ...stats, received })).toHaveLength(1);
    });

    function idOf(exchange: Exchange): string | undefined {
      return description.operationOf(exchange);
    }
  });
}
