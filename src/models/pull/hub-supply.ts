import { join } from "node:path";
import { downloadFile, partOf, sizeOf } from "./download-file.ts";
import type { Hub } from "./hub.ts";
import { listFiles, resolveCommit } from "./list-files.ts";
import type { ModelSource } from "./model-source.ts";
import type { Supply } from "./pull-model.ts";

/** Asks a hub what a model has, at the commit that the revision is at now; files come from that commit. */
export async function hubSupply(
  hub: Hub,
  source: ModelSource,
  signal: AbortSignal,
): Promise<Supply> {
  const { repository, revision } = source;
  const commit = await resolveCommit(hub, repository, revision, signal);
  const files = await listFiles(hub, repository, commit, signal);
  return {
    ...source,
    commit,
    files,
    verified: true,
    place: repository,
    begun: (file, staging) => sizeOf(partOf(join(staging, file.path), file)),
    fetch: (file, staging, onBytes, stop) =>
      downloadFile({ hub, repository, commit, staging, onBytes }, file, stop),
  };
}
