/** Fills a spool until it fails, and checks whatever it then gives back. Run as a process whose files are limited. */
import { Spool } from "../../../../src/engine/spool.ts";
import { isFault } from "../../../../src/faults/index.ts";

const spool = new Spool();
try {
  for (let window = 0; window < 40; window += 1) {
    const chunks = [{ id: "id", text: "text", headings: [], page: undefined, position: window }];
    await spool.append({ chunks, vectors: [new Float32Array(256 * 1024).fill(1)] });
    let read = 0;
    for await (const { vectors } of spool.windows()) {
      read += 1;
      if (vectors.some((vector) => vector.includes(0))) {
        console.log("a torn vector was given back");
        process.exit(1);
      }
    }
    if (read !== window + 1) {
      console.log("a window is missing");
      process.exit(1);
    }
  }
  console.log("nothing failed");
} catch (error) {
  console.log(isFault(error) ? error.code : `no fault: ${String(error)}`);
}
