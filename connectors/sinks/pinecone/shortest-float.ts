/** Powers of ten that a double holds exactly; dividing by one of them rounds only once. */
const powers = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);

/** Numbers whose JSON is short, and an upper estimate of its bytes. */
export interface ShortNumbers {
  readonly numbers: number[];
  readonly bytes: number;
}

/**
 * For each float32 the number whose decimal text is the shortest, of six to nine digits, that float32 reads back as the
 * same. The text of a float32 widened to a double has up to 17 digits, most of them noise: this one takes nearly half
 * the bytes. What is not finite stays.
 */
export function shorten(vector: Float32Array): ShortNumbers {
  const numbers: number[] = [];
  let bytes = 2;
  for (let index = 0; index < vector.length; index += 1) {
    const value = vector[index] ?? 0;
    const exponent = Math.floor(Math.log10(Math.abs(value)));
    const found = shortDigits(value, exponent);
    numbers.push(found.number);
    bytes += found.bytes + 1;
  }
  return { numbers, bytes };
}

/** Set anew by each call, so that millions of numbers make no objects. */
const result = { number: 0, bytes: 0 };

function shortDigits(value: number, exponent: number): Readonly<typeof result> {
  for (let digits = 6; digits <= 9; digits += 1) {
    const scale = powers[digits - 1 - exponent];
    if (scale === undefined || exponent > 0 || exponent < -6) break;
    const short = Math.round(value * scale) / scale;
    if (Math.fround(short) !== value) continue;
    result.number = short;
    // Sign, `0.`, zeros behind the point, digits.
    result.bytes = 3 + digits - exponent;
    return result;
  }
  // Tiny, huge, zero, or not finite. Nine digits always tell a float32 from its neighbours.
  result.number = Number.isFinite(value) ? Number(value.toPrecision(9)) : value;
  result.bytes = String(result.number).length;
  return result;
}
