/**
 * Adds to package-lock.json the packages of other platforms that npm left out because the registry it asked does not carry
 * them. Such a lock file is refused by `npm ci` on every machine. Run it after `npm install` of something with native parts:
 * `npm run lock`.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { checkout } from "./launch/places.mjs"

/** @typedef {{ version?: string, dev?: boolean, optional?: boolean, os?: string[], cpu?: string[], libc?: string[], optionalDependencies?: Record<string, string>}} Entry */

const systems = ["darwin", "linux", "win32", "android", "freebsd", "openbsd", "netbsd", "sunos", "aix", "openharmony"]
const cpus = ["x64", "arm64", "arm", "ia32", "ppc64", "riscv64", "s390x", "loong64", "mips64el", "wasm32"]

/** What a package's name says of where it runs: `…-linux-arm64-musl`. @param {string} name @returns {Entry} */
const platform = (name) => {
  const words = name.split(/[-/]/u)
  const os = systems.filter((one) => words.includes(one))
  const cpu = cpus.filter((one) => words.includes(one))
  const libc = words.some((one) => one.startsWith("musl")) ? ["musl"] : words.includes("gnu") ? ["glibc"] : []
  return { ...(cpu.length > 0 && { cpu }), ...(libc.length > 0 && { libc }), ...(os.length > 0 && { os }) }
}

/** Whether a package is found from `path`, as Node looks for it: in its own node_modules, then further and further out.
 * @param {Record<string, Entry>} packages @param {string} path @param {string} name @returns {boolean} */
const resolves = (packages, path, name) => {
  if (packages[`${path === "" ? "" : `${path}/`}node_modules/${name}`]) return true
  return path !== "" && resolves(packages, path.slice(0, Math.max(0, path.lastIndexOf("/node_modules/"))), name)
}

const file = join(checkout, "package-lock.json")
const lock = JSON.parse(readFileSync(file, "utf8"))
/** @type {Record<string, Entry>} */
const packages = lock.packages
/** @type {string[]} */
const added = []
for (const [path, entry] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (resolves(packages, path, name)) continue
    if (!/^\d/u.test(version)) {
      process.stderr.write(`${name}: expected an exact version, got ${version}; left out\n`)
      continue
    }
    packages[`node_modules/${name}`] = { version, ...(entry.dev && { dev: true }), optional: true, ...platform(name) }
    added.push(name)
  }
}
const [root, ...rest] = Object.entries(packages)
lock.packages = Object.fromEntries([...(root ? [root] : []), ...rest.sort(([a], [b]) => a.localeCompare(b, "en"))])
writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`)
process.stderr.write(added.length === 0 ? "nothing is missing\n" : `added ${added.join(", ")}\n`)
