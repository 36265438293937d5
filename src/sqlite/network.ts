import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { Fault } from "../faults/index.ts";
import type { Disk } from "./disk.ts";

/** Magic numbers of Linux's `statfs(2)` for file systems whose locks or shared memory do not reach other machines. */
const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x01021997, "9p"],
  [0x5346414f, "AFS"],
  [0x6b414653, "AFS"],
  [0x00c36400, "Ceph"],
  [0x0bd00bd0, "Lustre"],
  [0x73757245, "Coda"],
  [0x564c, "NCP"],
  [0x01161970, "GFS2"],
  [0x7461636f, "OCFS2"],
  [0x19830326, "BeeGFS"],
  [0x47504653, "GPFS"],
  [0xaad7aaea, "PanFS"],
  [0x786f4256, "VirtualBox shared folder"],
]);

/** Refuses with `state.network` a path on a network file system. The path need not exist yet. */
export function refuseNetwork(path: string, noun: string, disk: Disk): void {
  const name = path.startsWith("\\\\") ? "a network share" : networkName(path, disk);
  if (name === undefined) return;
  throw new Fault(
    "state.network",
    `the ${noun} \`${path}\` would live on ${name}, where file locks are not safe; ` +
      "choose a path on a local disk",
  );
}

function networkName(path: string, disk: Disk): string | undefined {
  let folder = dirname(path);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const type = disk.fileSystemType(folder);
  // The number is signed on some machines.
  return type === undefined ? undefined : networkFileSystems.get(type >>> 0);
}
