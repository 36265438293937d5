import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRedact, describeError } from "../../../src/config/index.ts";
import { looksSecret } from "../../../src/config/redact.ts";
import { goodFile } from "./fixture-catalog.ts";
import { readText } from "./read-files.ts";

describe("createRedact", () => {
  test("leaves no secret of four characters or more in any text around it", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 4, unit: "grapheme" }),
        fc.string(),
        fc.string(),
        (secret, before, after) => {
          fc.pre(!"***".includes(secret) && secret.trim().length >= 4);
          const redact = createRedact([secret]);
          expect(redact(`${before} ${secret} ${after}`).includes(secret)).toBe(false);
        },
      ),
    );
  });

  test("hides a secret also as a URL and JSON write it, and each long line of it", () => {
    const secret = 'p/ä"ss\nsecond-line';
    const redact = createRedact([secret]);
    expect(redact(encodeURIComponent(secret))).toBe("***");
    expect(redact(JSON.stringify(secret))).toBe('"***"');
    expect(redact("about second-line here")).toBe("about *** here");
  });

  test("hides a longer secret as a whole before a shorter one in it", () => {
    expect(createRedact(["abcd", "abcdefgh"])("abcdefgh")).toBe("***");
  });

  test("hides a short secret only where it stands alone", () => {
    const redact = createRedact(["7"]);
    expect(redact("pin 7, port 17, 3.7, v7")).toBe("pin ***, port 17, 3.7, v7");
  });

  test("hides credentials in URLs and secret parameters that it has never seen", () => {
    const redact = createRedact([]);
    expect(redact("GET http://ada:pw@host:1/v1?api_key=abc&k=1 failed")).toBe(
      "GET http://***@host:1/v1?api_key=***&k=1 failed",
    );
    expect(redact("mail ada@example.org about http://host/a@b")).toBe(
      "mail ada@example.org about http://host/a@b",
    );
  });

  test("is quick on long text", () => {
    const redact = createRedact(["secret-value"]);
    const began = performance.now();
    redact("http://".repeat(20_000) + "a".repeat(200_000));
    redact("?a".repeat(100_000));
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

test("describeError redacts the message and every cause, and survives a circle of causes", () => {
  const inner = new Error("connect http://u:p@h refused tok-12345");
  const outer = new Error("cannot write", { cause: inner });
  inner.cause = outer;
  expect(describeError(outer, createRedact(["tok-12345"]))).toBe(
    "cannot write: connect http://***@h refused ***",
  );
});

test.each([
  "API_KEY",
  "MILVUS_TOKEN",
  "DB_PASSWORD",
  "client-secret",
  "apikey",
  "AWS_SECRET_ACCESS_KEY",
  "KEY",
])("%s looks secret", (name) => expect(looksSecret(name)).toBe(true));

test.each(["ROOT", "KEYBOARD", "MONKEY", "MODEL", "TOKENIZER_PATH", "HOME", "AUTHOR"])(
  "%s does not look secret",
  (name) => expect(looksSecret(name)).toBe(false),
);

describe("the redactor of a file", () => {
  test("hides secret fields and what goes into them, and shows variables of plain fields", async () => {
    const { redact, told } = await readText(
      `${goodFile}limits:\n  documents: \${DOCUMENTS}\n`
        .replace("url:", "api_key: literal-key\n  url:")
        .replace("collection: handbook", "collection: ${NAME}\n    token: ${MILVUS_TOKEN}"),
      {
        environment: { DOCUMENTS: "4321", NAME: "customers", MILVUS_TOKEN: "tok-999", X: "unused" },
      },
    );
    expect(told).toEqual([]);
    expect(redact("literal-key customers tok-999 4321 unused")).toBe(
      "*** customers *** 4321 unused",
    );
  });

  test("hides a secret also where a plain field has the same value", async () => {
    const { redact } = await readText(
      goodFile.replace("collection: handbook", "collection: ${SAME}\n    token: ${SAME}"),
      { environment: { SAME: "handbook-42" } },
    );
    expect(redact("created handbook-42")).toBe("created ***");
    const literal = await readText(
      goodFile.replace("collection: handbook", "collection: ${SAME}\n    token: handbook-42"),
      { environment: { SAME: "handbook-42" } },
    );
    expect(literal.redact("created handbook-42")).toBe("created ***");
  });

  test("hides the credentials of a plain URL wherever they turn up, and shows the rest of it", async () => {
    const url = "url: https://ada:${WORD}@host/v1?api_key=k%2F4711&size=12345";
    const { redact, told } = await readText(
      goodFile.replace("url: http://localhost:30000/v1", url),
      { environment: { WORD: "p%40ss-1" } },
    );
    expect(told).toEqual([]);
    expect(redact("said p%40ss-1, p@ss-1, k%2F4711, k/4711, ada, host, 12345")).toBe(
      "said ***, ***, ***, ***, ada, host, 12345",
    );
    const whole = await readText(goodFile.replace("http://localhost:30000/v1", "${URL}"), {
      environment: { URL: "https://lone-token@host/v1" },
    });
    expect(whole.redact("lone-token at https://lone-token@host/v1")).toBe(
      "*** at https://***@host/v1",
    );
  });

  test.each([
    ["root:pass-42@milvus:19530", "milvus:19530"],
    ["host=milvus password=pass-42 port=19530", "host=milvus"],
    ["Server=milvus;Pwd=pass-42;Port=1", "Server=milvus"],
  ])("hides the password of the address %s", async (address, shown) => {
    const { redact, told } = await readText(
      goodFile.replace("address: localhost:19530", 'address: "${ADDRESS}"'),
      { environment: { ADDRESS: address } },
    );
    expect(told).toEqual([]);
    expect(redact(`cannot reach ${address}`)).not.toContain("pass-42");
    expect(redact(`cannot reach ${address}`)).toContain(shown);
  });

  test("hides a variable of a part that could not be looked at", async () => {
    const { redact } = await readText(
      goodFile
        .replace("type: milvus", "type: mivus")
        .replace("collection: handbook", "collection: ${WORD}"),
      { environment: { WORD: "perhaps-a-secret" } },
    );
    expect(redact("perhaps-a-secret")).toBe("***");
  });

  test("hides a number that is a secret, as it was written", async () => {
    const { redact } = await readText(
      goodFile.replace("collection: handbook", 'collection: c\n    token: "${T}"'),
      { environment: { T: "0012345" } },
    );
    expect(redact("is 0012345")).toBe("is ***");
  });

  test("hides a variable that is only a part of a secret, however short", async () => {
    const { redact } = await readText(
      goodFile.replace("collection: handbook", 'collection: c\n    token: "root:${T}"'),
      { environment: { T: "ab1" } },
    );
    expect(redact("root:ab1 and ab1")).toBe("*** and ***");
  });

  test("keeps values of secrets and variables out of problems", async () => {
    const { told } = await readText(
      goodFile
        .replace("url: http://localhost:30000/v1", "url: ${URL}\n  api_key: [sk-literal]")
        .replace("collection: handbook", "collection: { a: 1 }\n    token: { x: hunter22 }"),
      { environment: { URL: "not-a-url-secret" } },
    );
    expect(told.length).toBeGreaterThanOrEqual(4);
    expect(told.join("\n")).not.toMatch(/sk-literal|hunter22|not-a-url-secret/);
  });

  test("hides a secret variable's value in what a connector says about it", async () => {
    for (const [name, shown] of [
      ["C", "customers/private"],
      ["C_TOKEN", "***"],
    ] as const) {
      const collection = `collection: \${${name}}`;
      const { told } = await readText(goodFile.replace("collection: handbook", collection), {
        environment: { [name]: "customers/private" },
      });
      expect(told).toEqual([
        `p.yaml:15:17: \`sinks.search.collection\` cannot be \`${shown}\`, which holds a slash`,
      ]);
    }
  });

  test("covers secrets of a file that has problems", async () => {
    const { redact, config } = await readText(
      goodFile.replace("model:", "api_key: sk-12345\n  modle:"),
    );
    expect(config).toBeUndefined();
    expect(redact("key sk-12345")).toBe("key ***");
  });
});

describe("a variable that looks secret", () => {
  test("in a field that is not draws a warning, and is hidden all the same", async () => {
    const { told, warned, redact } = await readText(
      goodFile.replace("collection: handbook", "collection: c-${DB_PASSWORD}"),
      { environment: { DB_PASSWORD: "hunter22" } },
    );
    expect(told).toEqual([]);
    expect(warned).toEqual([
      "p.yaml:15:17: the variable `DB_PASSWORD` looks like a secret, but `sinks.search.collection` is not a secret field: it may be shown and stored",
    ]);
    expect(redact("c-hunter22")).toBe("c-***");
  });

  test("in a secret field draws none", async () => {
    const { warned } = await readText(goodFile.replace("url:", "api_key: ${API_KEY:-x}\n  url:"));
    expect(warned).toEqual([]);
  });

  test("in a top-level field draws a warning", async () => {
    const { warned } = await readText(
      `${goodFile}state: { type: sqlite, path: "\${MY_TOKEN:-x}" }\n`,
    );
    expect(warned).toEqual([expect.stringContaining("`state.path` is not a secret field")]);
  });
});
