/**
 * Finds a Chromium for the browser test: CHROMIUM_PATH, one on PATH, or Debian's, installed where we may (as root). Without
 * one the test is skipped and says so.
 */
import { existsSync } from "node:fs"
import { run, tail } from "./processes.mjs"
import { note, Refusal, step } from "./say.mjs"

/** @typedef {import("./places.mjs").Env} Env */

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"]

/** @returns {Promise<string | undefined>} */
const onPath = async () => {
  for (const name of names) {
    const { code, stdout } = await run("sh", ["-c", 'command -v "$0"', name])
    if (code === 0) return stdout.trim()
  }
  return undefined
}

/** @param {Env} env @returns {Promise<string | undefined>} the path of the program */
export const ensureChromium = async (env) => {
  const given = env["CHROMIUM_PATH"]
  if (given && !existsSync(given))
    throw new Refusal(`CHROMIUM_PATH: expected a program, got ${given}, which does not exist`)
  const found = given || (await onPath())
  if (found) return found
  const without = (/** @type {string} */ why) =>
    note(`no Chromium (${why}): the browser test is skipped; CHROMIUM_PATH names one`)
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return without("none on PATH, and only root may install one")
  if ((await run("apt-get", ["--version"])).code !== 0) return without("none on PATH, and no apt-get")
  return step("chromium", "installing Debian's chromium", async () => {
    const options = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, timeoutMs: 600_000 }
    const install = () => run("apt-get", ["install", "-y", "-q", "--no-install-recommends", "chromium"], options)
    let result = await install()
    if (result.code !== 0 && (await run("apt-get", ["update", "-q"], options)).code === 0) result = await install()
    const value = await onPath()
    if (!value) without(tail(result.stderr, 2) || `apt-get exited with ${result.code}`)
    return { value, detail: value && `Debian's package installed, ${value}` }
  })
}
