export { cacheKey } from "./cache-key.ts";
export { memoryCache } from "./memory-cache.ts";
export { sqliteCache, type SqliteCacheOptions } from "./sqlite-cache.ts";
export { redisCache, type RedisCacheOptions } from "./redis/redis-cache.ts";
export type { Storage } from "./vectors.ts";
