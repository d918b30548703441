/**
 * Reads `.env` of the checkout, the only place that does. A variable of the real environment wins over the file.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { checkout } from "./places.mjs"

/** @typedef {import("./places.mjs").Env} Env */

const line = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)$/u

/** @param {string} raw the text after `=` */
const value = (raw) => {
  const text = raw.trim()
  const quoted = /^(["'`])(.*?)\1\s*(?:#.*)?$/su.exec(text)
  if (!quoted) return text.replace(/\s+#.*$/u, "").replace(/^#.*$/u, "")
  const inner = quoted[2] ?? ""
  return quoted[1] === '"' ? inner.replace(/\\n/gu, "\n").replace(/\\"/gu, '"') : inner
}

/**
 * `NAME=value` lines; `#` comments, `export` and quotes as in other `.env` readers. Values keep to one line (`\n` inside
 * double quotes is a line break).
 * @param {string} text
 * @returns {Record<string, string>}
 */
export const parseEnv = (text) => {
  /** @type {Record<string, string>} */
  const found = {}
  for (const one of text.replace(/^\uFEFF/u, "").split(/\r?\n/u)) {
    const match = line.exec(one)
    if (match?.[1] !== undefined) found[match[1]] = value(match[2] ?? "")
  }
  return found
}

/** The environment with what `.env` adds to it. @param {Env} env @param {string} [folder] @returns {Env} */
export const withDotEnv = (env, folder = checkout) => {
  let text
  try {
    text = readFileSync(join(folder, ".env"), "utf8")
  } catch {
    return { ...env }
  }
  return { ...parseEnv(text), ...env }
}
