/**
 * Redis and Postgres for one run of tests or benches, in a temporary folder that is removed with them. What REDIS_URL and
 * DATABASE_URL name is used instead.
 */
import { spawn } from "node:child_process"
import { chmodSync, mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { ensureServices } from "./services.mjs"

/** @typedef {import("./places.mjs").Env} Env */

/**
 * @param {Env} env
 * @returns {Promise<import("./services.mjs").Urls & { stop: () => Promise<void> }>}
 */
export const startThrowaway = async (env) => {
  const folder = mkdtempSync(join(tmpdir(), "loglytics-"))
  // As root, Postgres runs under another account, which must pass through.
  chmodSync(folder, 0o711)
  const keeper = spawn(process.execPath, [fileURLToPath(new URL("keeper.mjs", import.meta.url)), folder], {
    detached: true,
    stdio: ["pipe", "ignore", "inherit"]
  })
  /** @type {Promise<void>} */
  const gone = new Promise((resolve) => keeper.on("close", () => resolve()))
  const stop = () => {
    keeper.stdin.end()
    return gone
  }
  try {
    return { ...(await ensureServices(env, folder, { throwaway: true })), stop }
  } catch (error) {
    await stop()
    throw error
  }
}
