// Kept so plain that old versions of Node.js can read it too. The reason: docs/decisions/node-version.md.
const oldest = { major: 22, minor: 18 };

/** Why sluice cannot run under a version of Node.js, in one sentence; undefined where it can. */
export function refuseNode({ version, execPath, checkout }) {
  const [major, minor] = version.replace(/^v/, "").split(".").map(Number);
  if (major > oldest.major || (major === oldest.major && minor >= oldest.minor)) return undefined;
  const remedy = checkout
    ? "type `npx sluice` in the checkout, which brings its own."
    : "install a newer one from https://nodejs.org.";
  return `sluice needs Node.js ${oldest.major}.${oldest.minor} or newer, and this is ${version} (${execPath}): ${remedy}`;
}
