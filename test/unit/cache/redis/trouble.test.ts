import { expect, test } from "vitest";
import { redisFault } from "../../../../src/cache/redis/trouble.ts";
import { Fault } from "../../../../src/faults/index.ts";

test.each([
  ["WRONGPASS invalid username-password pair or user is disabled.", "cache.unauthorized"],
  ["NOAUTH Authentication required.", "cache.unauthorized"],
  ["ERR invalid password", "cache.unauthorized"],
  ["NOPERM this user has no permissions to run the 'set' command", "cache.unauthorized"],
  ["DENIED Redis is running in protected mode", "cache.unauthorized"],
  ["READONLY You can't write against a read only replica.", "cache.unusable"],
  ["MOVED 3999 127.0.0.1:6381", "cache.unusable"],
  ["ERR DB index is out of range", "cache.unusable"],
  ["ERR unknown command 'UNLINK', with args beginning with:", "cache.unusable"],
  ["self-signed certificate in certificate chain", "cache.unusable"],
])("what a person must mend is told at once: %s", (said, code) => {
  const fault = redisFault(new Error(said), "redis://cache:6379");
  expect([fault.code, fault.retry]).toEqual([code, "never"]);
  expect(fault.message).toContain("`redis://cache:6379`");
  expect(fault.message).toContain(said);
});

test.each([
  "LOADING Redis is loading the dataset in memory",
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  "ERR max number of clients reached",
  "CLUSTERDOWN Hash slot not served",
  "Socket closed unexpectedly",
  "read ECONNRESET",
])("what may be over at any time is an absence: %s", (said) => {
  const fault = redisFault(new Error(said), "redis://cache:6379");
  expect([fault.code, fault.retry]).toEqual(["cache.unreachable", "later"]);
});

test("a fault stays what it is, and an error without words is told by its code", () => {
  const own = new Fault("cache.full", "No room.");
  expect(redisFault(own, "redis://cache:6379")).toBe(own);
  const silent = Object.assign(new AggregateError([], ""), { code: "ECONNREFUSED" });
  expect(redisFault(silent, "redis://cache:6379").message).toContain("(ECONNREFUSED)");
});
