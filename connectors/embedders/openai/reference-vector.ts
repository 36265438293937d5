import { cosineOf } from "../../../src/embedding/index.ts";
import { Fault } from "../../../src/faults/index.ts";

/** Two vectors of one text by the same model, on other machines or in other batches, are at least this near. */
const sameModel = 0.999;

/** A text and the vector that the first answer gave it: what every endpoint has to give for it, at any time. */
export class ReferenceVector {
  readonly input: string;
  readonly #vector: Float32Array;
  /** Who gave it, for messages. */
  readonly #shown: string;

  constructor(input: string, vector: Float32Array, shown: string) {
    this.input = input;
    this.#vector = vector;
    this.#shown = shown;
  }

  /** Throws `refused.probe`, which names the endpoint, when it gave another vector. */
  compare(vector: Float32Array, shown: string): void {
    const cosine = cosineOf(vector, this.#vector);
    if (cosine > sameModel) return;
    const other = shown === this.#shown ? "than before" : `than \`${this.#shown}\``;
    throw new Fault(
      "refused.probe",
      `The embedding server at \`${shown}\` gives another vector for the same text ${other} ` +
        `(cosine ${cosine.toFixed(4)}, more than ${sameModel} expected): another model, pooling or prompt. ` +
        "Nothing of its vectors is used. Bring the old model back, or name the new one and give its vectors another collection.",
    );
  }
}
