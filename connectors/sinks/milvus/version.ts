/** Major and minor number of a version, and whether it is one of Milvus Lite; undefined when nobody knows. */
function parse(version: string) {
  const [, lite, major, minor] = /^(milvus_lite-)?v?(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  return { isLite: lite !== undefined, number: Number(major) * 1_000 + Number(minor) };
}

/** Whether fields may be null: from Milvus 2.5 on. Of a version that nobody knows it is not assumed. */
export function knowsNull(version: string): boolean {
  const parsed = parse(version);
  if (parsed === undefined) return false;
  return parsed.number >= (parsed.isLite ? 3_000 : 2_005);
}

/**
 * Whether an upsert may put a row into another partition than that of its partition key, as Milvus 2.3 did until one
 * of its last releases: it took the primary key for it.
 */
export function scattersRows(version: string): boolean {
  const parsed = parse(version);
  return parsed !== undefined && !parsed.isLite && parsed.number < 2_004;
}
