/**
 * A lock that two bootstraps at once cannot both hold, and that does not outlive its holder: the file names the process,
 * and a lock whose process is gone is taken over.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { isAlive, lifeOf } from "./processes.mjs"
import { note, Refusal } from "./say.mjs"

/** @typedef {import("./processes.mjs").Life} Life */

/** @param {string} file @returns {Life | undefined} the holder, undefined when the file is gone or unreadable */
const holderOf = (file) => {
  try {
    const { identity, pid } = JSON.parse(readFileSync(file, "utf8"))
    return { pid: Number(pid), identity: String(identity) }
  } catch {
    return undefined
  }
}

let serial = 0

/** @param {string} file @param {string} ending a name in the same folder that nobody else uses */
const beside = (file, ending) => `${file}.${process.pid}.${serial++}.${ending}`

/** Takes the lock if nobody alive holds it. @param {string} file @returns {boolean} */
export const tryLock = (file) => {
  mkdirSync(dirname(file), { recursive: true })
  const mine = beside(file, "mine")
  writeFileSync(mine, JSON.stringify(lifeOf(process.pid)))
  try {
    if (link(mine, file)) return true
    const holder = holderOf(file)
    if (holder && isAlive(holder)) return false
    // Take the dead holder's file away; if another process was quicker and its own lock is what we took, put it back.
    const taken = beside(file, "taken")
    try {
      renameSync(file, taken)
    } catch {
      return link(mine, file)
    }
    const was = holderOf(taken)
    if (was && isAlive(was)) link(taken, file)
    rmSync(taken, { force: true })
    return link(mine, file)
  } finally {
    rmSync(mine, { force: true })
  }
}

/** A hard link is made whole or not at all, and never over an existing file. @param {string} from @param {string} to */
const link = (from, to) => {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false
    throw error
  }
}

/** Gives the lock back if it is ours. @param {string} file */
export const unlock = (file) => {
  if (holderOf(file)?.pid === process.pid) rmSync(file, { force: true })
}

/**
 * Runs `body` while holding the lock, waiting for another holder up to `patienceMs`.
 * @template A
 * @param {string} file
 * @param {() => Promise<A>} body
 * @param {number} [patienceMs]
 * @returns {Promise<A>}
 */
export const withLock = async (file, body, patienceMs = 180_000) => {
  const until = Date.now() + patienceMs
  for (let tries = 0; !tryLock(file); tries++) {
    const pid = holderOf(file)?.pid
    if (tries === 10) note(`waiting for another start of Loglytics${pid ? ` (process ${pid})` : ""}`)
    if (Date.now() > until) {
      throw new Refusal(`${file} is held by process ${pid ?? "?"} for ${patienceMs / 1000} s; expected it to finish`)
    }
    await sleep(100)
  }
  try {
    return await body()
  } finally {
    unlock(file)
  }
}
