/**
 * Builds the dashboard when what is built does not come from the sources that are there. Nothing is done, and nothing is
 * said, when it does.
 */
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { stripVTControlCharacters } from "node:util"
import { withLock } from "./lock.mjs"
import { cacheFolder, checkout, shortHash } from "./places.mjs"
import { note, step } from "./say.mjs"

/** @typedef {import("./places.mjs").Env} Env */

const web = join(checkout, "web")
const stamp = join(web, "dist", ".sources")

/** @param {string} folder @returns {string[]} its files, without what is built or installed */
const files = (folder) =>
  readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== "dist" && name !== "node_modules")
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)]))

/** One text for the state of all sources. File times would lie after a clone or a copy. */
const fingerprint = () => {
  const hash = createHash("sha256")
  for (const file of [...files(web), join(checkout, "package-lock.json")])
    hash.update(file.slice(checkout.length)).update("\0").update(readFileSync(file))
  return hash.digest("hex")
}

const built = () => {
  try {
    return readFileSync(stamp, "utf8")
  } catch {
    return undefined
  }
}

/** @param {Env} env */
export const ensureWeb = async (env) => {
  if (!existsSync(join(web, "index.html")) || built() === fingerprint()) return
  await step("dashboard", "building the dashboard", () =>
    withLock(join(cacheFolder(env), "locks", `web-${shortHash(checkout)}`), async () => {
      const now = fingerprint()
      if (built() === now) return { value: undefined }
      try {
        const { build } = await import("vite")
        await build({ root: web, logLevel: "silent" })
        writeFileSync(stamp, now)
        return { value: undefined, detail: "built with Vite" }
      } catch (error) {
        // The page is one of many things that run; without it the API still works.
        const reason = stripVTControlCharacters(error instanceof Error ? error.message : String(error))
        note(`the dashboard could not be built, all else runs: ${reason.trim().split("\n").slice(0, 4).join("\n    ")}`)
        return { value: undefined }
      }
    })
  )
}
