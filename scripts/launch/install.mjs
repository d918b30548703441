/**
 * Makes node_modules hold what the lock file says, and no more work than that: nothing happens when all that is needed
 * is there. A checkout that has the developer's tools keeps them.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { withLock } from "./lock.mjs"
import { cacheFolder, checkout, shortHash } from "./places.mjs"
import { npm, run, tail } from "./processes.mjs"
import { Refusal, step } from "./say.mjs"

/** @typedef {import("./places.mjs").Env} Env */
/** @typedef {{ version?: string, dev?: boolean, optional?: boolean, devOptional?: boolean }} Entry */
/** @typedef {{ packages?: Record<string, Entry> }} LockFile */

/** @param {string} file @returns {LockFile | undefined} */
const read = (file) => {
  try {
    return JSON.parse(readFileSync(file, "utf8"))
  } catch {
    return undefined
  }
}

/**
 * The packages that are wanted and not there in the wanted version. npm writes the second file itself, last of all, so an
 * install that was cut short has none. Optional packages may be absent: npm leaves out those of other platforms.
 * @param {LockFile} wanted package-lock.json
 * @param {LockFile | undefined} installed node_modules/.package-lock.json
 * @param {boolean} dev whether the developer's tools are wanted
 * @returns {ReadonlyArray<string>}
 */
export const missing = (wanted, installed, dev) =>
  Object.entries(wanted.packages ?? {})
    .filter(([path, entry]) => path !== "" && (dev || !entry.dev) && !entry.optional && !entry.devOptional)
    .filter(([path, entry]) => installed?.packages?.[path]?.version !== entry.version)
    .map(([path]) => path)

/** @param {LockFile | undefined} installed */
const hasTools = (installed) => Object.values(installed?.packages ?? {}).some((entry) => entry.dev === true)

/** @param {boolean} dev */
const look = (dev) => {
  const wanted = read(join(checkout, "package-lock.json"))
  if (!wanted) throw new Refusal(`package-lock.json in ${checkout}: expected a lock file, got none that can be read`)
  const installed = read(join(checkout, "node_modules", ".package-lock.json"))
  return { installed, absent: missing(wanted, installed, dev) }
}

/** Whether all that is needed is there. @param {boolean} dev whether the developer's tools are needed */
export const isInstalled = (dev) => look(dev).absent.length === 0

/**
 * @param {Env} env
 * @param {{ dev: boolean }} options whether the developer's tools are wanted too
 */
export const ensureInstalled = async (env, { dev }) => {
  if (isInstalled(dev)) return
  await step("packages", "installing packages", () =>
    withLock(join(cacheFolder(env), "locks", `install-${shortHash(checkout)}`), async () => {
      const { absent, installed } = look(dev)
      if (absent.length === 0) return { value: undefined }
      const tools = dev || hasTools(installed)
      const { args, command, shell } = npm()
      const flags = ["ci", ...(tools ? ["--include=dev"] : ["--omit=dev"]), "--include=optional", "--ignore-scripts"]
      const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]
      const result = await run(command, [...args, ...flags, ...quiet], { cwd: checkout, shell })
      if (result.code !== 0) {
        throw new Refusal(
          `npm ci in ${checkout} exited with ${result.code}\n    ${tail(result.stderr || result.stdout, 12)}`
        )
      }
      return {
        value: undefined,
        detail: `npm ci, ${absent.length} installed${tools ? " with the developer's tools" : ""}`
      }
    })
  )
}
