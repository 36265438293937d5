import { open } from "node:fs/promises";
import { expect, test } from "vitest";
import { errorCode } from "../../../src/flow/error-code.ts";

test("the code of a system's error is known, and nothing else is taken for one", async () => {
  const error: unknown = await open("/there/is/no/such/file").catch((reason: unknown) => reason);
  expect(errorCode(error)).toBe("ENOENT");
  const others = [
    new Error("none"),
    Object.assign(new Error("a number"), { code: 7 }),
    { code: "ENOENT" },
    "ENOENT",
    null,
    undefined,
  ];
  expect(others.map((other) => errorCode(other))).toEqual(others.map(() => ""));
});
