import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isFault } from "../../../src/faults/index.ts";
import { decodeText } from "../../../src/flow/decode-text.ts";

const never = new AbortController().signal;

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

interface Decoded {
  readonly text: string;
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

async function decode(bytes: Uint8Array, size = 1 << 16): Promise<Decoded> {
  let text = "";
  const warnings = [];
  for await (const piece of decodeText(pieces(bytes, size), never)) {
    if (piece.kind === "text") text += piece.text;
    else warnings.push(piece.warning);
  }
  return { text, warnings };
}

function utf16(text: string, littleEndian: boolean): Buffer {
  const bytes = Buffer.from(text, "utf16le");
  return littleEndian ? bytes : bytes.swap16();
}

function utf32(text: string, littleEndian: boolean): Buffer {
  const points = [...text].map((character) => character.codePointAt(0) ?? 0);
  const bytes = Buffer.alloc(points.length * 4);
  points.forEach((point, index) =>
    littleEndian ? bytes.writeUInt32LE(point, index * 4) : bytes.writeUInt32BE(point, index * 4),
  );
  return bytes;
}

/** Encodes by inverting the decoder: one and two bytes a character. */
function encodeAs(label: string, text: string): Buffer {
  const table = new Map<string, number[]>();
  const decoder = new TextDecoder(label);
  for (let lead = 255; lead >= 0; lead -= 1) {
    for (let trail = lead >= 0x80 ? 255 : 0; trail >= 0x40; trail -= 1) {
      const character = decoder.decode(Uint8Array.of(lead, trail));
      if ([...character].length === 1) table.set(character, [lead, trail]);
    }
  }
  for (let byte = 255; byte >= 0; byte -= 1) {
    const character = decoder.decode(Uint8Array.of(byte));
    if (character !== "\uFFFD") table.set(character, [byte]);
  }
  return Buffer.from(
    [...text].flatMap((character) => {
      const bytes = table.get(character);
      if (bytes === undefined) throw new Error(`${label} lacks ${character}`);
      return bytes;
    }),
  );
}

const texts = {
  german:
    "Größe und Ärger über die Straße mit schönen Grüßen an alle Freunde, die müde sind. Das Öl fließt über den Boden.",
  russian:
    "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему. Всё смешалось в доме Облонских.",
  chinese:
    "检索增强生成把检索到的文档交给语言模型。文档被切分成段落,每个段落都有一个向量。用户的问题也变成向量,然后寻找最近的段落。",
  traditional:
    "檢索增強生成把檢索到的文件交給語言模型。文件被切分成段落,每個段落都有一個向量。使用者的問題也變成向量,然後尋找最近的段落。",
  japanese:
    "文書を段落に分割し、それぞれの段落をベクトルに変換します。質問もベクトルに変換して、最も近い段落を探します。これは日本語の文章です。",
  korean:
    "문서를 단락으로 나누고 각 단락을 벡터로 바꿉니다. 질문도 벡터로 바꾸어 가장 가까운 단락을 찾습니다. 이것은 한국어 문장입니다.",
};

const wide = [
  ["utf-16le", (text: string) => utf16(text, true)],
  ["utf-16be", (text: string) => utf16(text, false)],
  ["utf-32le", (text: string) => utf32(text, true)],
  ["utf-32be", (text: string) => utf32(text, false)],
  ["utf-8", (text: string) => Buffer.from(text)],
] as const;

describe("encodings are found", () => {
  const cases: [label: string, text: string][] = [
    ["gb18030", texts.chinese],
    ["big5", texts.traditional],
    ["shift_jis", texts.japanese],
    ["euc-jp", texts.japanese],
    ["euc-kr", texts.korean],
    ["koi8-r", texts.russian],
    ["windows-1251", texts.russian],
    ["windows-1252", texts.german],
  ];
  test.each(cases)("%s without a mark is read as such", async (label, text) => {
    const repeated = `${text}\n`.repeat(4);
    const { text: read, warnings } = await decode(encodeAs(label, repeated), 37);
    expect(read).toBe(repeated);
    expect(warnings).toEqual([]);
  });

  test("ISO-2022-JP, which looks like ASCII, is read as such", async () => {
    const kanji = encodeAs("euc-jp", texts.japanese).map((byte) => byte & 0x7f);
    const bytes = Buffer.concat([Buffer.from("\x1b$B"), kanji, Buffer.from("\x1b(B\n")]);
    expect((await decode(bytes)).text).toBe(`${texts.japanese}\n`);
  });

  describe.each(wide)("%s", (_label, encode) => {
    test.each(Object.entries(texts))("%s is read with and without a mark", async (_name, text) => {
      const source = `${text}\n😀 line two`;
      expect((await decode(encode(source), 5)).text).toBe(source);
      expect(await decode(encode(`\uFEFF${source}`), 5)).toEqual({ text: source, warnings: [] });
    });
  });

  test("a very short Latin-1 text is not taken for a Macintosh encoding", async () => {
    expect((await decode(Buffer.from("Größe", "latin1"))).text).toBe("Größe");
  });

  test("the encoding is chosen by the first bytes that are not ASCII, however late they come", async () => {
    const ascii = "plain words and more plain words.\n".repeat(10_000);
    const late = Buffer.concat([Buffer.from(ascii), encodeAs("koi8-r", texts.russian)]);
    expect((await decode(late)).text).toBe(ascii + texts.russian);
    const utf8 = Buffer.concat([Buffer.from(ascii), Buffer.from(texts.chinese)]);
    expect((await decode(utf8, 1000)).text).toBe(ascii + texts.chinese);
  });
});

describe("damage is counted and survived", () => {
  test("a few invalid bytes in UTF-8 are replaced, counted over the whole, and the rest is kept", async () => {
    const good = `${texts.chinese}\n`.repeat(2000);
    const bytes = Buffer.concat([
      Buffer.from(good),
      Uint8Array.of(0xff),
      Buffer.from(good),
      Uint8Array.of(0xc3),
    ]);
    const { text, warnings } = await decode(bytes, 1009);
    expect(text).toBe(`${good}\uFFFD${good}\uFFFD`);
    expect(warnings).toMatchObject([{ code: "replaced-characters" }]);
    expect(warnings[0]?.message).toMatch(/^2 /);
  });

  test("damage within the first bytes does not turn UTF-8 into another encoding", async () => {
    const bytes = Buffer.concat([Uint8Array.of(0xfe), Buffer.from(texts.russian)]);
    const { text, warnings } = await decode(bytes);
    expect(text).toBe(`\uFFFD${texts.russian}`);
    expect(warnings.map((warning) => warning.code)).toEqual(["replaced-characters"]);
  });

  test("a replacement character that the document contains is not counted as damage", async () => {
    const source = `U+FFFD is \uFFFD, in Chinese 替换字符. `;
    expect(await decode(Buffer.from(source), 1)).toEqual({ text: source, warnings: [] });
  });

  test("lone surrogates of UTF-16 are replaced and counted", async () => {
    const bytes = utf16(`\uFEFFbefore \uD800 after, and a pair 😀`, true);
    const { text, warnings } = await decode(bytes, 3);
    expect(text).toBe("before \uFFFD after, and a pair 😀");
    expect(warnings).toMatchObject([{ code: "replaced-characters" }]);
  });

  test("binary content is refused with parse.malformed", async () => {
    const png = Buffer.concat([
      Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"),
      Buffer.from(Array.from({ length: 4000 }, (_, index) => (index * 7919) % 256)),
    ]);
    for (const bytes of [png, Buffer.alloc(100_000)]) {
      const error: unknown = await decode(bytes).catch((caught: unknown) => caught);
      expect(isFault(error) && error.code).toBe("parse.malformed");
    }
  });
});

describe("line ends and control characters", () => {
  test.each([1, 2, 3, 100])("line ends become \\n, cut every %i bytes", async (size) => {
    const { text } = await decode(Buffer.from("a\r\nb\rc\n\r\nd\fe\u0085f\r"), size);
    expect(text).toBe("a\nb\nc\n\nd\ne\nf\n");
  });

  test("control characters become spaces and join no words", async () => {
    const { text } = await decode(Buffer.from("one\0two\x1b[31mthree\x7f four\tfive"));
    expect(text).toBe("one two [31mthree  four\tfive");
  });

  test("an empty document gives no text and no warning", async () => {
    expect(await decode(Buffer.alloc(0))).toEqual({ text: "", warnings: [] });
  });
});

test("law: any text in UTF-8 comes back the same, however it is cut", async () => {
  const line = fc
    .string({ unit: "grapheme", maxLength: 50 })
    .filter((text) => !/\p{Cc}/u.test(text));
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 40 }), async (lines, size) => {
      const source = lines.join("\n");
      fc.pre(!source.startsWith("\uFEFF"));
      expect(await decode(Buffer.from(source), size)).toEqual({ text: source, warnings: [] });
    }),
    { numRuns: 300 },
  );
});

describe("far from the start, where nothing is gathered for a look", () => {
  /** Longer than the sample, and not ASCII: what follows is decoded chunk by chunk. */
  const opening = "ü".repeat(70_000);
  const text = fc.string({ unit: fc.constantFrom("a", "é", "中", "😀", "\n"), maxLength: 60 });

  test.each(wide)("law: %s comes back the same, however it is cut", async (_label, encode) => {
    const head = encode(`\uFEFF${opening}`);
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 9 }), async (tail, size) => {
        async function* content(): AsyncGenerator<Uint8Array> {
          yield head;
          yield* pieces(encode(tail), size);
        }
        let read = "";
        for await (const piece of decodeText(content(), never)) {
          expect(piece.kind).toBe("text");
          if (piece.kind === "text") read += piece.text;
        }
        expect(read.slice(opening.length)).toBe(tail);
      }),
      { numRuns: 60 },
    );
  });

  test.each([1, 2, 3])("line ends become \\n, cut every %i bytes", async (size) => {
    async function* content(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(opening);
      yield* pieces(Buffer.from("a\r\nb\rc\r\r\n\n\r"), size);
    }
    let read = "";
    for await (const piece of decodeText(content(), never)) {
      if (piece.kind === "text") read += piece.text;
    }
    expect(read.slice(opening.length)).toBe("a\nb\nc\n\n\n\n");
  });
});

test("law: whatever the bytes are, the text is well-formed or the document is refused", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 400 }),
      fc.integer({ min: 1, max: 90 }),
      async (bytes, size) => {
        const result = await decode(bytes, size).catch((error: unknown) => error);
        if (isFault(result)) return;
        const { text } = result as Decoded;
        expect(text.isWellFormed()).toBe(true);
        expect(text).not.toMatch(/[^\P{Cc}\t\n]/u);
        // How the bytes were cut into chunks is not to be seen in the text.
        expect((await decode(bytes)).text).toBe(text);
      },
    ),
    { numRuns: 300 },
  );
});

test("leaving early closes the content, and an abort ends a read that hangs", async () => {
  let closed = 0;
  async function* content(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.from("words ".repeat(50_000));
    } finally {
      closed += 1;
    }
  }
  for await (const piece of decodeText(content(), never)) if (piece.kind === "text") break;
  expect(closed).toBe(1);
  const controller = new AbortController();
  async function* hanging(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("first");
    controller.abort(new Error("stop"));
    await new Promise(() => undefined);
  }
  const all = async (): Promise<void> => {
    for await (const piece of decodeText(hanging(), controller.signal)) void piece;
  };
  await expect(all()).rejects.toThrow("stop");
});
