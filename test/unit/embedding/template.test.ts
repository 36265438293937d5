import { describe, expect, it } from "vitest";
import { queryTemplate, textTemplate } from "../../../src/embedding/index.ts";

const frame = "Instruct: {task}\nQuery:{query}";

describe("queryTemplate", () => {
  it("puts a task into the model's frame, with no space after `Query:`", () => {
    const template = queryTemplate("Find it", frame);
    expect(template.apply("where?")).toBe("Instruct: Find it\nQuery:where?");
    expect(template.pattern).toBe("Instruct: Find it\nQuery:{query}");
  });

  it("takes a whole template as it is, also where the model has a frame", () => {
    expect(queryTemplate("Q: {query} A:", frame).apply("x")).toBe("Q: x A:");
  });

  it("puts a prefix before the query where the model has no frame", () => {
    const template = queryTemplate("search_query: ");
    expect(template.apply("x")).toBe("search_query: x");
    expect(template.pattern).toBe("search_query: {query}");
  });

  it("leaves a query alone when the instruction is empty", () => {
    expect(queryTemplate("", frame)).toMatchObject({ pattern: "" });
    expect(queryTemplate("", frame).apply("x")).toBe("x");
  });

  it("reads nothing in a query or a task as a placeholder or a replacement pattern", () => {
    expect(queryTemplate("$& $1", frame).apply("{task} {query} $&")).toBe(
      "Instruct: $& $1\nQuery:{task} {query} $&",
    );
  });
});

describe("textTemplate", () => {
  it("dresses a text with a prefix or a template", () => {
    expect(textTemplate("passage: ").apply("x")).toBe("passage: x");
    expect(textTemplate("title: none | text: {text}").apply("{text}")).toBe(
      "title: none | text: {text}",
    );
    expect(textTemplate("").apply("x")).toBe("x");
  });
});
