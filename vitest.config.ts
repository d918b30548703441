/**
 * How the tests run: one pair of servers for the whole run (test/support/global.ts), one process per test file, so that no
 * file sees another's environment or timers; every command is held to the slots of a Redis Cluster (test/support/slots.ts).
 */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/global.ts"],
    setupFiles: ["test/support/slots.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    teardownTimeout: 30_000
  }
})
