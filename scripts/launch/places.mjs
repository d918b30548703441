/**
 * Where things lie: the checkout, the data folder, the user's cache. Pure, so that the tests can ask about any machine.
 */
import { createHash } from "node:crypto"
import { realpathSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"

/** @typedef {Record<string, string | undefined>} Env */

/** The folder that holds package.json. */
export const checkout = resolve(dirname(fileURLToPath(import.meta.url)), "../..")

/** The folder all state lies in: `LOGLYTICS_DATA_DIR`, or `.loglytics` in the checkout. @param {Env} env */
export const dataFolder = (env) => resolve(env["LOGLYTICS_DATA_DIR"] || join(checkout, ".loglytics"))

/**
 * The folder of things that can be fetched again: `LOGLYTICS_CACHE_DIR`, `$XDG_CACHE_HOME/loglytics` or
 * `~/.cache/loglytics`.
 * @param {Env} env
 */
export const cacheFolder = (env) => {
  if (env["LOGLYTICS_CACHE_DIR"]) return resolve(env["LOGLYTICS_CACHE_DIR"])
  if (env["XDG_CACHE_HOME"]) return join(env["XDG_CACHE_HOME"], "loglytics")
  const home = env["HOME"] || homedir()
  // A user without a home (nobody, many containers) has "/" or "/nonexistent".
  return home === "/" || home.startsWith("/nonexistent")
    ? join(tmpdir(), `loglytics-cache-${process.getuid?.() ?? "user"}`)
    : join(home, ".cache", "loglytics")
}

/**
 * The one true name of a folder. Records hold it, since a data folder may be copied with the records of servers that belong
 * to the folder it was copied from.
 * @param {string} folder
 */
export const trueName = (folder) => {
  try {
    return realpathSync(folder)
  } catch {
    return resolve(folder)
  }
}

/** A short name for a path, the same on every run. @param {string} text */
export const shortHash = (text) => createHash("sha256").update(text).digest("hex").slice(0, 12)
