export { localDisk, type Disk } from "./disk.ts";
export { databaseFault } from "./errors.ts";
export type { DatabaseKind, Migration } from "./kind.ts";
export { inodeOf, Lease } from "./lease.ts";
export { migrate } from "./migrate.ts";
export { refuseNetwork } from "./network.ts";
export {
  busyTimeoutMs,
  createDatabase,
  locate,
  openForReading,
  openForWriting,
  syncFolder,
} from "./open.ts";
export { Statements, type Statement } from "./statement.ts";
export { WalSync } from "./wal-sync.ts";
