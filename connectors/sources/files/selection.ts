import picomatch from "picomatch";
import { defaultInclude } from "./media-types.ts";

/** Which files below the root are documents. Pure: it knows paths, not the disk. */
export interface Selection {
  /** Whether a file is one, its folders aside. */
  matches(id: string): boolean;
  /** Whether a folder can hold one; its parents aside. */
  enters(folder: string): boolean;
  /** Whether a file is one, and all its folders are entered: what a listing would list. */
  selects(id: string): boolean;
}

interface Patterns {
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}

/** `[!a]` negates, as in a shell; `.` matches line ends too, which are legal in names. */
const options = { windows: false, posix: true, flags: "s" } as const;
/** A segment that begins with a dot, also within braces. */
const namesHidden = /(?:^|[/{,(|])\./;

/** Compiles the globs. */
export function createSelection({ include, exclude = [] }: Patterns): Selection {
  const globs = (include ?? [defaultInclude]).flatMap(normalise);
  const isIncluded = picomatch(
    globs,
    include === undefined ? { ...options, flags: "si" } : { ...options },
  );
  const excluded = exclude.map((glob) => glob.replace(/^\.\//, "").replace(/\/+$/, ""));
  const isExcluded =
    excluded.length === 0 ? () => false : picomatch(excluded, { ...options, dot: true });
  const bases = globs.map((glob) => picomatch.scan(glob).base);
  const isHiddenNamed = globs.some((glob) => namesHidden.test(glob));
  const areNamed = (name: string): boolean => globs.some((glob) => glob.includes(name));

  const canHold = (name: string): boolean => {
    if (name === ".git" || name === "node_modules") return areNamed(name);
    return !name.startsWith(".") || isHiddenNamed;
  };
  const matches = (id: string): boolean => isIncluded(id) && !isExcluded(id);
  const enters = (folder: string): boolean =>
    canHold(folder.slice(folder.lastIndexOf("/") + 1)) &&
    !isExcluded(folder) &&
    bases.some((base) => base === "" || isWithin(folder, base) || isWithin(base, folder));
  return {
    matches,
    enters,
    selects: (id) => matches(id) && foldersOf(id).every(enters),
  };
}

/** The folders of a path, from the outermost: `a` and `a/b` of `a/b/c`. */
export function foldersOf(id: string): string[] {
  const segments = id.split("/");
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join("/"));
}

/** A plain path stands for a file, and for a folder with everything in it. */
function normalise(glob: string): string[] {
  const trimmed = glob.replace(/^\.\//, "");
  if (trimmed.endsWith("/")) return [`${trimmed}**`];
  return picomatch.scan(trimmed).isGlob ? [trimmed] : [trimmed, `${trimmed}/**`];
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
