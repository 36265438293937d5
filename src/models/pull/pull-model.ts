import { join } from "node:path";
import { Fault } from "../../faults/index.ts";
import type { Manifest, ManifestFile } from "../manifest.ts";
import type { Precision } from "../precision.ts";
import { checksumOf, type ExpectedFile } from "./checksum.ts";
import { externalFiles } from "./external-data.ts";
import { chooseByPattern, chooseByPrecision, type Choice } from "./choose-files.ts";
import { pinnedSha256 } from "./model-source.ts";
import { sizeOf } from "./download-file.ts";
import type { Staging } from "./staging.ts";

/** What somebody wants of a model. */
export interface Wanted {
  readonly precision: Precision;
  /** Patterns of files; when there are any, only these files are taken. */
  readonly patterns: readonly string[];
}

/** Where the bytes of a model are: a hub, or a folder. */
export interface Supply {
  readonly model: string;
  readonly repository: string;
  readonly revision: string;
  readonly commit?: string;
  readonly files: readonly ExpectedFile[];
  /** Whether the hashes of the files are known beforehand, and not only taken down. */
  readonly verified: boolean;
  /** Where the files are, for messages. */
  readonly place: string;
  /** Bytes of a file that are in the staging folder from earlier, though it is not complete. */
  begun(file: ExpectedFile, staging: string): Promise<number>;
  /** Puts the file into the staging folder and gives its sha256. */
  fetch(
    file: ExpectedFile,
    staging: string,
    onBytes: (count: number) => void,
    signal: AbortSignal,
  ): Promise<string>;
}

/** Told while a model is pulled. */
export interface PullWatcher {
  /** So many bytes are there, and are read to see whether they are right. */
  checking(bytes: number): void;
  /** When it is known what is to come, and again when the graph names more; `there` of the bytes are there from earlier. */
  chosen(choice: Choice<ExpectedFile>, there: number): void;
  bytes(count: number): void;
}

export interface Pulled {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly graph?: string;
  /** How many files were not there before. */
  readonly fetched: number;
}

const filesAtOnce = 4;

/** Fills the staging folder with what is wanted and not there, and makes it the model's folder. */
export async function pullModel(
  supply: Supply,
  wanted: Wanted,
  staging: Staging,
  watcher: PullWatcher,
  signal: AbortSignal,
): Promise<Pulled> {
  const choice = await choose(supply, wanted);
  const present = await staging.present(supply.model);
  const pull: Pull = { supply, present, staging, watcher, signal };
  const { kept, fetched } = await gather(choice, pull);
  const exactly = wanted.patterns.length > 0;
  const beside = exactly ? [] : await besideGraph(choice, fetched, pull);
  if (beside.length > 0) {
    const more = await gather({ ...choice, files: beside }, pull);
    for (const [path, file] of more.kept) kept.set(path, file);
    for (const [path, file] of more.fetched) fetched.set(path, file);
  }
  const graph = choice.graph === undefined ? {} : { graph: choice.graph };
  if (fetched.size === 0 && present !== undefined) {
    return { folder: staging.folder, manifest: present, fetched: 0, ...graph };
  }
  const staying = new Map([...(await others(pull, fetched)), ...kept]);
  for (const path of staying.keys()) await staging.keep(path);
  const manifest = manifestOf(supply, [...staying.values(), ...fetched.values()]);
  await staging.finish(manifest, present);
  return { folder: staging.folder, manifest, fetched: fetched.size, ...graph };
}

/** One pull, for all its steps. */
interface Pull {
  readonly supply: Supply;
  readonly present: Manifest | undefined;
  readonly staging: Staging;
  readonly watcher: PullWatcher;
  readonly signal: AbortSignal;
}

interface Gathered {
  /** Files of the present folder that are right. */
  readonly kept: Map<string, ManifestFile>;
  /** Files that are in the staging folder now. */
  readonly fetched: Map<string, ManifestFile>;
}

/** Sees what of the files is there, and fetches the rest. */
async function gather(choice: Choice<ExpectedFile>, pull: Pull): Promise<Gathered> {
  const { supply, present, staging, watcher } = pull;
  const files = choice.files.map((file) => withPin(file, supply));
  const there = files.filter(({ path }) => present?.files.some((file) => file.path === path));
  if (there.length > 0) watcher.checking(sum(there));
  const kept = await presentFiles(there, pull);
  const missing = files
    .filter(({ path }) => !kept.has(path))
    .toSorted((one, other) => one.size - other.size);
  const open = sum(missing) - (await beginnings(supply, missing, staging));
  watcher.chosen({ ...choice, files }, sum(files) - open);
  if (missing.length === 0) return { kept, fetched: new Map() };
  for (const { path } of missing) staging.refuseOther(path, present);
  await staging.prepare(open);
  return { kept, fetched: await fetchAll(missing, pull) };
}

/** What the graph says its weights are in, besides what was chosen by name. */
async function besideGraph(
  { files, graph }: Choice<ExpectedFile>,
  fetched: ReadonlyMap<string, ManifestFile>,
  { supply, staging, signal }: Pull,
): Promise<readonly ExpectedFile[]> {
  if (graph === undefined) return [];
  const chosen = new Set(files.map(({ path }) => path));
  const folder = fetched.has(graph) ? staging.path : staging.folder;
  const named = await externalFiles(join(folder, graph), graph, signal);
  return supply.files.filter(({ path }) => named.has(path) && !chosen.has(path));
}

/** Files of the present folder that nobody asked for now, but that belong to the same commit, or to the same model. */
async function others(
  { present, supply, staging }: Pull,
  fetched: ReadonlyMap<string, ManifestFile>,
): Promise<ReadonlyMap<string, ManifestFile>> {
  const found = new Map<string, ManifestFile>();
  if (present === undefined || present.commit !== supply.commit) return found;
  if (supply.commit === undefined && !isSameModel(present, supply, fetched)) return found;
  for (const file of present.files) {
    const size = await sizeOf(join(staging.folder, file.path));
    if (!fetched.has(file.path) && size === file.size) found.set(file.path, file);
  }
  return found;
}

/** Where no commit tells: what came is what was there, and what did not come has its size. */
function isSameModel(
  { files }: Manifest,
  supply: Supply,
  fetched: ReadonlyMap<string, ManifestFile>,
): boolean {
  const sizes = new Map(supply.files.map(({ path, size }) => [path, size]));
  return files.every(({ path, size, sha256 }) => {
    const came = fetched.get(path);
    return came === undefined ? (sizes.get(path) ?? size) === size : came.sha256 === sha256;
  });
}

function manifestOf(supply: Supply, files: readonly ManifestFile[]): Manifest {
  const { model, repository, revision, commit } = supply;
  return {
    format: 1,
    model,
    repository,
    revision,
    ...(commit === undefined ? {} : { commit }),
    pulled_at: new Date().toISOString(),
    files: files.toSorted((one, other) => (one.path < other.path ? -1 : 1)),
  };
}

function choose({ files, place }: Supply, wanted: Wanted): Promise<Choice<ExpectedFile>> {
  if (wanted.patterns.length > 0) return chooseByPattern(files, wanted.patterns, place);
  return Promise.resolve(chooseByPrecision(files, wanted.precision, place));
}

/** The file with the sha256 that the catalogue knows; refuses a supply that promises another. */
function withPin(file: ExpectedFile, { repository, commit }: Supply): ExpectedFile {
  const sha256 = pinnedSha256(repository, commit, file.path);
  if (sha256 === undefined) return file;
  if (file.sha256 === undefined || file.sha256 === sha256) return { ...file, sha256 };
  throw new Fault(
    "refused.checksum",
    `\`${file.path}\` of \`${repository}\` at the commit ${commit} has sha256 ${file.sha256} by the hub or folder, but ` +
      `${sha256} was published. Nothing of it is used. Try another hub or mirror.`,
  );
}

/** What of the files the folder holds already, unharmed. */
async function presentFiles(
  files: readonly ExpectedFile[],
  { present, staging, signal }: Pull,
): Promise<Map<string, ManifestFile>> {
  const kept = new Map<string, ManifestFile>();
  for (const file of files) {
    const known = present?.files.find(({ path }) => path === file.path);
    const path = join(staging.folder, file.path);
    if (known === undefined || !isKnown(file) || (await sizeOf(path)) !== file.size) continue;
    const sha256 = await checksumOf(path, file, signal);
    if (sha256 === known.sha256) kept.set(file.path, known);
  }
  return kept;
}

/** How many bytes of the files are in the staging folder from earlier. */
async function beginnings(
  supply: Supply,
  files: readonly ExpectedFile[],
  { path }: Staging,
): Promise<number> {
  let bytes = 0;
  for (const file of files) {
    const whole = isKnown(file) ? await sizeOf(join(path, file.path)) : 0;
    bytes += whole === file.size ? whole : await supply.begun(file, path);
  }
  return bytes;
}

/** Fetches several files at once; the first failure ends them all, and what has come stays. */
async function fetchAll(
  files: readonly ExpectedFile[],
  { supply, staging, watcher, signal }: Pull,
): Promise<Map<string, ManifestFile>> {
  const fetched = new Map<string, ManifestFile>();
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const next = files.values();
  const work = async (): Promise<void> => {
    for (const file of next) {
      const { path, size } = file;
      const sha256 =
        (await wholeFile(file, staging, watcher, either)) ??
        (await supply.fetch(file, staging.path, (count) => watcher.bytes(count), either));
      fetched.set(path, { path, size, sha256 });
    }
  };
  const workers = Array.from({ length: filesAtOnce }, async () => {
    try {
      await work();
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  const outcomes = await Promise.allSettled(workers);
  signal.throwIfAborted();
  if (outcomes.some(({ status }) => status === "rejected")) throw failed.signal.reason;
  return fetched;
}

/** The sha256 of a file that an earlier pull completed. */
async function wholeFile(
  file: ExpectedFile,
  staging: Staging,
  watcher: PullWatcher,
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = join(staging.path, file.path);
  if (!isKnown(file) || file.size === 0 || (await sizeOf(path)) !== file.size) return undefined;
  const sha256 = await checksumOf(path, file, signal);
  if (sha256 === undefined) watcher.bytes(-file.size);
  return sha256;
}

/** Whether there is anything but the size to recognise a file by. */
function isKnown({ sha256, blob }: ExpectedFile): boolean {
  return sha256 !== undefined || blob !== undefined;
}

function sum(files: readonly ExpectedFile[]): number {
  return files.reduce((bytes, { size }) => bytes + size, 0);
}
