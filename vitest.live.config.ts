import { defineConfig } from "vitest/config";

/**
 * Tests against real servers, which the global setup installs and starts: no part of `npm test`. Two files at a time,
 * because most of a test is waiting for a server.
 */
export default defineConfig({
  test: {
    include: ["test/live/**/*.test.ts"],
    globalSetup: ["test/live/global-setup.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
