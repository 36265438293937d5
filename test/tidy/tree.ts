import { globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root, absolute. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const ignored = readFileSync(join(root, ".gitignore"), "utf8")
  .split("\n")
  .map((line) => line.trim())
  .filter((line) => line !== "" && !line.startsWith("#"));

/** Paths of all files that belong to the project, with `/`, relative to the root. Needs no git. */
export const files: readonly string[] = walk("").toSorted();

/** The project's TypeScript. */
export const code: readonly string[] = files.filter((path) => path.endsWith(".ts"));

const texts = new Map<string, string>();

/** The text of a file of the project. */
export function textOf(path: string): string {
  const text = texts.get(path) ?? readFileSync(join(root, path), "utf8");
  texts.set(path, text);
  return text;
}

/** Relative imports of a file: static, dynamic, type-only and by URL, as paths of the project. */
export function importsOf(path: string): string[] {
  const text = textOf(path);
  const found = [
    ...text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g),
    ...text.matchAll(/new URL\(\s*"(\.[^"]+\.ts)"/g),
  ];
  return found.map(([, target = ""]) => posix.join(posix.dirname(path), target));
}

/** Everything that these files lead to. */
export function reachableFrom(entries: readonly string[]): Set<string> {
  const reached = new Set<string>();
  const waiting = [...entries];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path) || !files.includes(path)) continue;
    reached.add(path);
    if (path.endsWith(".ts")) waiting.push(...importsOf(path));
  }
  return reached;
}

/** Files of the project that a pattern fits. */
export function filesLike(pattern: string): string[] {
  return globSync(pattern, { cwd: root }).map((path) => path.replaceAll("\\", "/"));
}

function walk(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.name === ".git" || isIgnored(entry.name)) return [];
    if (entry.isDirectory()) return walk(path);
    return entry.isFile() ? [path] : [];
  });
}

function isIgnored(name: string): boolean {
  return ignored.some((pattern) => {
    const plain = pattern.replace(/^\//, "").replace(/\/$/, "");
    return plain.startsWith("*.") ? name.endsWith(plain.slice(1)) : name === plain;
  });
}
