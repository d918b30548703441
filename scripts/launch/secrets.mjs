/**
 * What keeps other users of this machine out of a data folder and its servers: one password for each folder, and files and
 * folders that only their owner reads.
 */
import { randomInt } from "node:crypto"
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Refusal } from "./say.mjs"

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
const length = 32

const randomPassword = () => Array.from({ length }, () => letters[randomInt(letters.length)]).join("")

/** Writes a file that only its owner reads, also where an older version left one for everybody. @param {string} file @param {string} text */
export const writePrivate = (file, text) => {
  const parts = `${file}.${process.pid}.part`
  writeFileSync(parts, text, { mode: 0o600 })
  renameSync(parts, file)
}

/** @param {string} data */
const passwordFile = (data) => join(data, "password")

/** The password of the servers of a data folder, if it has one that we may read. @param {string} data @returns {string | undefined} */
export const knownPassword = (data) => {
  try {
    const text = readFileSync(passwordFile(data), "utf8").trim()
    return /^[A-Za-z0-9]{32,}$/u.test(text) ? text : undefined
  } catch {
    return undefined
  }
}

/** The password, made if there is none; call it under the folder's lock. @param {string} data */
export const ensurePassword = (data) => {
  const known = knownPassword(data)
  if (known !== undefined) return known
  const password = randomPassword()
  try {
    writePrivate(passwordFile(data), `${password}\n`)
  } catch (error) {
    throw new Refusal(`${passwordFile(data)}: expected a file of ours, got ${String(error)}`)
  }
  return password
}

/** As root, Postgres runs under another account, which must pass through the data folder; nobody else has business in it. */
const folderMode = () => (process.getuid?.() === 0 ? 0o711 : 0o700)

/** Makes the data folder, or closes the one that is there to others. @param {string} data */
export const closeFolder = (data) => {
  mkdirSync(data, { recursive: true, mode: folderMode() })
  const { mode, uid } = statSync(data)
  // Somebody else's folder, or a shared one such as /tmp, stays as it is.
  if (uid !== process.getuid?.() || (mode & 0o1000) !== 0) return
  chmodSync(data, mode & folderMode())
}
