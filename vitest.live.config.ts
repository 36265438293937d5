import { defineConfig } from "vitest/config";

/**
 * Tests against real servers, which the global setup installs and starts: no part of `npm test`. One file at a time
 * beside the servers is enough for a machine of two cores.
 */
export default defineConfig({
  test: {
    include: ["test/live/**/*.test.ts"],
    globalSetup: ["test/live/global-setup.ts"],
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
