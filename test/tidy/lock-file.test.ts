import { describe, expect, it } from "vitest";
import { textOf } from "./tree.ts";

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly hasInstallScript?: boolean;
}

const lock = JSON.parse(textOf("package-lock.json")) as { packages: Record<string, Locked> };
const packages = Object.entries(lock.packages).filter(([path]) => path !== "");

describe("the lock file", () => {
  it("names no registry, so that it works behind any mirror", () => {
    expect(packages.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });

  it("holds the packages of every platform, without which `npm ci` refuses it", () => {
    const missing = packages.flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => !isLocked(path, name)),
    );
    expect(missing).toEqual([]);
  });

  it("holds the hash of every package but LanceDB's for platforms whose hash was not to be had", () => {
    const unproven = packages
      .filter(([, { integrity }]) => integrity === undefined)
      .map(([path]) => path);
    const known = /^node_modules\/@lancedb\/lancedb-(?:darwin|win32|linux-arm64)[\w-]*$/;
    expect(unproven.filter((path) => !known.test(path))).toEqual([]);
  });

  it("lets only `node` run a program at install, since others download from elsewhere", () => {
    const scripts = packages.filter(([, { hasInstallScript }]) => hasInstallScript === true);
    // The program of `protobufjs` compares version numbers and is not needed; an older npm runs it.
    const harmless = ["node_modules/fsevents", "node_modules/protobufjs"];
    const allowed = new Set(["node_modules/node", ...harmless]);
    expect(scripts.map(([path]) => path).filter((path) => !allowed.has(path))).toEqual([]);
  });

  it("hides from every npm that onnxruntime-node would fetch CUDA's libraries at install", () => {
    // A newer npm asks `allowScripts`. An older one does not know it, and runs what the lock file says is there.
    const manifest = JSON.parse(textOf("package.json")) as {
      readonly allowScripts: Readonly<Record<string, boolean>>;
    };
    expect(manifest.allowScripts["onnxruntime-node"]).toBe(false);
    const found = packages.filter(([path]) => path.endsWith("node_modules/onnxruntime-node"));
    expect(found.map(([path, { hasInstallScript }]) => [path, hasInstallScript])).toEqual([
      ["node_modules/onnxruntime-node", undefined],
    ]);
  });
});

/** Whether a package is found from the place of the one that asks for it, as Node.js looks for it. */
function isLocked(from: string, name: string): boolean {
  const parents = [...from.matchAll(/(?:^|\/)node_modules\//g)].map(({ index }) => index);
  const places = [from, ...parents.map((end) => from.slice(0, end))];
  return places.some((place) => {
    const path = place === "" ? `node_modules/${name}` : `${place}/node_modules/${name}`;
    return lock.packages[path] !== undefined;
  });
}
