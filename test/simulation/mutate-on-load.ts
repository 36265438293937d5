/** Preloaded (`--import`) by a process that runs one mutation, named by the environment variable `MUTATION`. */
import { registerHooks } from "node:module";
import { mutations } from "./mutations.ts";

const mutation = mutations.find(({ name }) => name === process.env["MUTATION"]);
if (mutation === undefined) throw new Error("MUTATION names no mutation.");

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(`/${mutation.file}`)) return loaded;
    const source = String(
      loaded.source instanceof Uint8Array ? new TextDecoder().decode(loaded.source) : loaded.source,
    );
    return { ...loaded, source: source.replace(mutation.find, mutation.replace) };
  },
});
