/**
 * A process that installs the small server: `installer.ts CACHE`. Prints `installing` in the middle of it and goes on
 * when it gets input, prints `waiting` when another process installs, and at the end the folder.
 */
import { once } from "node:events";
import { installServer } from "../../../../scripts/servers/install-server.ts";
import { tinyKind } from "./tiny-kind.ts";

const [cache = ""] = process.argv.slice(2);
const kind = tinyKind();

const folder = await installServer(
  {
    ...kind,
    async install(place) {
      console.log("installing");
      await once(process.stdin, "data");
      await kind.install(place);
    },
  },
  {
    cache,
    report(sentence) {
      if (sentence.includes("waiting")) console.log("waiting");
    },
  },
);
console.log(`done ${folder}`);
process.exit();
