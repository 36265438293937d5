import type { RedisConnection } from "./connection.ts";

/** How many keys the server looks at in one step: some milliseconds of its time. */
const keysPerStep = "1000";

/** How many keys a pattern has, and the bytes of their values; about, while others write. */
export async function sizesOf(
  connection: RedisConnection,
  pattern: string,
): Promise<{ entries: number; bytes: number }> {
  let entries = 0;
  let bytes = 0;
  for await (const keys of scan(connection, pattern)) {
    const lengths = await connection.batch(keys.map((key) => ["STRLEN", key]));
    entries += keys.length;
    for (const length of lengths) if (typeof length === "number") bytes += length;
  }
  return { entries, bytes };
}

/** Removes the keys of a pattern, and no others. */
export async function removeKeys(connection: RedisConnection, pattern: string): Promise<void> {
  for await (const keys of scan(connection, pattern)) await connection.batch([["UNLINK", ...keys]]);
}

/** The keys of a pattern in groups that are not empty. */
async function* scan(connection: RedisConnection, pattern: string): AsyncGenerator<Buffer[]> {
  let cursor = "0";
  do {
    const [step] = await connection.batch([
      ["SCAN", cursor, "MATCH", pattern, "COUNT", keysPerStep],
    ]);
    const [next, keys] = connection.list(step);
    cursor = String(next);
    const names = connection.list(keys).filter((key) => Buffer.isBuffer(key));
    if (names.length > 0) yield names;
  } while (cursor !== "0");
}
