import { stemmer } from "stemmer";
import { commonWordList, stopWordSet } from "./common-words.ts";
import { hashText, nextHash } from "./hash.ts";

/** What one word adds to a vector. */
export interface Term {
  /** Equal for words that count as one. */
  readonly key: string;
  /** Counts only in a text that has no other words. */
  readonly stop: boolean;
  readonly positions: Uint16Array;
  readonly values: Float32Array;
}

/** The shortest valid prefix, and the size of the first octave. */
export const firstOctave = 32;

/** A word that is everywhere, and one that says little (a number, one or two letters), count this much. */
const commonWeight = 0.5;
const slightWeight = 0.6;
/** One character of a script without spaces, beside the pairs. */
const characterWeight = 0.3;
/** All trigrams of a word together, beside the word. They find misspellings and other endings. */
const trigramWeight = 0.4;
const shortestWithTrigrams = 5;

const commonStems = new Set(commonWordList.map((word) => stemmer(word)));
const english = /^[a-z]+$/;
/** The stemmer's patterns need quadratic time; no English word is as long. */
const longestStemmed = 40;

/** Makes the term of a word in lower case. `dimension` is a power of two. */
export function wordTerm(word: string, dimension: number): Term {
  const stem = english.test(word) && word.length <= longestStemmed ? stemmer(word) : word;
  const slight = word.length < 3 || /^\p{N}/u.test(word);
  const weight = slight ? slightWeight : commonStems.has(stem) ? commonWeight : 1;
  return makeTerm(stem, dimension, weight, stopWordSet.has(word));
}

/** Makes the term of one or two characters of a script without spaces. */
export function characterTerm(characters: string, dimension: number): Term {
  const single = [...characters].length === 1;
  const key = `=${characters}`;
  return spread(key, [[key, single ? characterWeight : 1]], dimension, false);
}

function makeTerm(stem: string, dimension: number, weight: number, stop: boolean): Term {
  const features: [string, number][] = [[stem, weight]];
  if (stem.length >= shortestWithTrigrams) {
    const padded = `^${stem}$`;
    const count = padded.length - 2;
    const each = (weight * trigramWeight) / Math.sqrt(count);
    for (let at = 0; at < count; at += 1) features.push([`#${padded.slice(at, at + 3)}`, each]);
  }
  return spread(stop ? `.${stem}` : stem, features, dimension, stop);
}

/**
 * Puts every feature at one place of every octave ([0, 32), [32, 64), [64, 128) …), so that each prefix holds all of
 * them. An octave counts by its size: the larger it is, the fewer features share a place and the less it errs.
 */
function spread(
  key: string,
  features: readonly (readonly [string, number])[],
  dimension: number,
  stop: boolean,
): Term {
  const octaves = 1 + Math.log2(dimension / firstOctave);
  const positions = new Uint16Array(features.length * octaves);
  const values = new Float32Array(positions.length);
  let at = 0;
  for (const [feature, weight] of features) {
    let hash = hashText(feature);
    for (let start = 0; start < dimension; start = start === 0 ? firstOctave : start * 2) {
      const size = Math.max(start, firstOctave);
      hash = nextHash(hash);
      positions[at] = start + ((hash >>> 8) % size);
      values[at] = weight * Math.sqrt(size / firstOctave) * ((hash & 1) === 0 ? -1 : 1);
      at += 1;
    }
  }
  return { key, stop, positions, values };
}
