import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/live/**", "node_modules/**", "dist/**"],
    pool: "forks",
    testTimeout: 20_000,
  },
});
