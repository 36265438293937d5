import { defineConfig } from "vitest/config";

/** The packed package, installed as a user does: builds, packs and installs, so it is no part of `npm test`. */
export default defineConfig({
  test: {
    include: ["test/packed/**/*.test.ts"],
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 300_000,
  },
});
