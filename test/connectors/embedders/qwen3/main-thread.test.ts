import { clearInterval, setInterval } from "node:timers";
import { expect, it, onTestFinished } from "vitest";
import { signal, tiny } from "./harness.ts";

/** The processor time of each turn of the main thread, in milliseconds: others on the machine count for nothing. */
function watchTurns(): readonly number[] {
  const turns: number[] = [];
  let before = process.threadCpuUsage();
  const look = (): void => {
    const now = process.threadCpuUsage();
    turns.push((now.user + now.system - before.user - before.system) / 1000);
    before = now;
  };
  const timer = setInterval(look, 1);
  onTestFinished(() => clearInterval(timer));
  return turns;
}

/** Texts of up to 300 tokens. */
function someTexts(count: number, seed: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    return `${seed} ${"water flows through a gate ".repeat((index * 7 + seed) % 60)}`;
  });
}

it("never takes the main thread for 50 ms at a time while it embeds, several calls at once", async () => {
  const embedder = tiny();
  await embedder.embed(someTexts(20, 0), "document", signal);
  const turns = watchTurns();
  for (let round = 1; round <= 3; round += 1) {
    const calls = [1, 2].map((call) => someTexts(200, round * 10 + call));
    const answers = await Promise.all(
      calls.map((texts) => embedder.embed(texts, "document", signal)),
    );
    expect(answers.map(({ vectors }) => vectors.length)).toEqual([200, 200]);
  }
  expect(turns.length).toBeGreaterThan(50);
  expect(Math.max(...turns)).toBeLessThan(50);
});
