import { expect, test } from "vitest";
import { numberInField } from "../../../scripts/servers/protobuf.ts";

test("a number is found behind fields of every other type", () => {
  const fields = {
    number: [0x08, 0x96, 0x01],
    eightBytes: [0x11, 1, 2, 3, 4, 5, 6, 7, 8],
    text: [0x1a, 3, 0x28, 0x01, 0x28],
    fourBytes: [0x25, 1, 2, 3, 4],
    wanted: [0x28, 0x01],
  };
  const message = Uint8Array.from(Object.values(fields).flat());
  expect(numberInField(message, 1)).toBe(150);
  expect(numberInField(message, 5)).toBe(1);
});

test("a field that is not there is 0", () => {
  expect(numberInField(new Uint8Array(), 1)).toBe(0);
  expect(numberInField(Uint8Array.of(0x08, 1), 2)).toBe(0);
});

test("a message that is cut off or of another format is refused", () => {
  expect(() => numberInField(Uint8Array.of(0x08, 0x80), 1)).toThrow("ends in the middle");
  expect(() => numberInField(Uint8Array.of(0x0b), 2)).toThrow("unknown type 3");
});
