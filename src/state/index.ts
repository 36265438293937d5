export { memoryStateStore, type MemoryStateStore } from "./memory-store.ts";
export { sqliteStateStore, type SqliteStateOptions } from "./sqlite-store.ts";
