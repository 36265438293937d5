import * as vitest from "vitest";
import type { Storage } from "../../../src/cache/index.ts";
import { cacheLaws, registerLaws } from "../../../src/testkit/index.ts";
import { describeLive } from "../support/live-servers.ts";
import { ask, RedisPlace } from "./support/redis-place.ts";

const runner = { describe: vitest.describe, it: vitest.it };

describeLive("redis", (server) => {
  const laws = (storage: Storage, minCosine?: number) =>
    cacheLaws<RedisPlace>({
      maxBytes: 1024 * 1024,
      ...(minCosine === undefined ? {} : { minCosine }),
      async place(context) {
        const place = new RedisPlace(server.address, { storage });
        context.defer(() => place.close());
        return place;
      },
      // The server outlives the process, and what the process had acknowledged is there.
      async crash() {},
      async tamper(place, key, bytes) {
        await ask(place.url, "SET", await place.entry(key), Buffer.from(bytes));
      },
      notSupported: {
        "holds no more bytes than its bound, and forgets the least recently used first":
          "the server's own `maxmemory` bounds it, for all that it holds",
      },
    });
  registerLaws(laws("float32"), runner, { title: "the redis cache" });
  registerLaws(laws("float16", 0.99999), runner, { title: "the redis cache in float16" });
});
