import { describe, expect, test } from "vitest";
import { redisServer } from "../../../../src/cache/redis/redis-server.ts";

describe("the address of a Redis server", () => {
  test.each([
    ["redis://cache", { host: "cache", port: 6379, database: 0, tls: false }],
    ["redis://cache/", { host: "cache", port: 6379, database: 0 }],
    ["redis://[::1]:7000/3", { host: "::1", port: 7000, database: 3 }],
    ["rediss://cache:1/15", { host: "cache", port: 1, database: 15, tls: true }],
    ["redis://me:p%40ss%2F@cache", { username: "me", password: "p@ss/" }],
    ["redis://:100%@cache", { password: "100%" }],
  ])("is read as it is written: %s", (url, expected) => {
    expect(redisServer(url)).toMatchObject(expected);
  });

  test("has no user and no password where none is given, and what is given apart wins", () => {
    expect(redisServer("redis://cache")).not.toHaveProperty("username");
    expect(redisServer("redis://cache")).not.toHaveProperty("password");
    const login = { username: "you", password: "yours" };
    expect(redisServer("redis://me:mine@cache", login)).toMatchObject(login);
  });

  test.each([
    ["redis://me:secret@cache", "redis://cache:6379"],
    ["rediss://:secret@[::1]:7000/3", "rediss://[::1]:7000/3"],
  ])("is shown without credentials", (url, shown) => {
    expect(redisServer(url).address).toBe(shown);
  });
});
