/**
 * Redis and Valkey of other Debian suites, unpacked with the C library that they were built for. Promises a folder with a
 * program `redis-server`, which stands before others on PATH, or the reason why there is none. Touches nothing of the host.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { libraryFolders, unpackDebian } from "../../scripts/launch/debian.mjs"
import { withLock } from "../../scripts/launch/lock.mjs"
import { cacheFolder } from "../../scripts/launch/places.mjs"
import { run } from "../../scripts/launch/processes.mjs"

interface Build {
  /** The last is preferred, the others have what it lacks. */
  readonly suites: ReadonlyArray<string>
  readonly brand: "redis" | "valkey"
}

/** By what the suites had when this was written; what a server says of itself is what is told. */
export const builds: Readonly<Record<string, Build>> = {
  "redis-8.0": { suites: ["trixie"], brand: "redis" },
  "redis-8.6": { suites: ["sid", "experimental"], brand: "redis" },
  "valkey-8.1": { suites: ["trixie"], brand: "valkey" },
  "valkey-9.1": { suites: ["forky"], brand: "valkey" }
}

export type Got =
  | { readonly ok: true; readonly folder: string; readonly version: string }
  | { readonly ok: false; readonly why: string }

/** What a server program says of its version: `Redis 8.0.2`. */
export const versionOf = async (program: string, env: NodeJS.ProcessEnv = {}): Promise<string | undefined> => {
  const { stdout } = await run(program, ["--version"], { env: { ...process.env, ...env } })
  const [, brand, version] = /^(Redis|Valkey) server v=(\S+)/u.exec(stdout) ?? []
  return brand === undefined ? undefined : `${brand} ${version}`
}

/** The loader of the unpacked C library; the host's would not know its symbols. */
const loaderIn = (folders: ReadonlyArray<string>): string | undefined => {
  for (const folder of folders) {
    const name = readdirSync(folder).find((entry) => /^ld-linux-.*\.so\.\d$/u.test(entry))
    if (name !== undefined) return join(folder, name)
  }
  return undefined
}

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

/** A program of the name that the tests look for, which becomes the unpacked one: it keeps its process. */
const wrap = (folder: string, root: string, brand: Build["brand"]): string | undefined => {
  const libraries = libraryFolders(root)
  const loader = loaderIn(libraries)
  if (loader === undefined) return "the packages have no C library"
  mkdirSync(folder, { recursive: true })
  for (const tool of ["server", "cli"]) {
    const wrapper = join(folder, `redis-${tool}`)
    const program = join(root, "usr", "bin", `${brand}-${tool}`)
    const command = [loader, "--library-path", libraries.join(":"), program].map(quoted).join(" ")
    writeFileSync(wrapper, `#!/bin/sh\nexec ${command} "$@"\n`)
    chmodSync(wrapper, 0o755)
  }
  return undefined
}

/** Gets a build by its name, from the cache where it is there. */
export const get = async (name: string): Promise<Got> => {
  const build = builds[name]
  if (build === undefined) return { ok: false, why: `expected one of ${Object.keys(builds).join(", ")}` }
  if (process.platform !== "linux") return { ok: false, why: "it comes from Debian's packages" }
  const home = join(cacheFolder(process.env), "compat", `${name}-${process.arch}`)
  const [root, folder] = [join(home, "root"), join(home, "bin")]
  const { brand, suites } = build
  const problem = await withLock(`${home}.lock`, async () =>
    existsSync(root) ? undefined : await unpackDebian(home, root, [`${brand}-tools`, `${brand}-server`], suites)
  ).catch(String)
  if (problem !== undefined) return { ok: false, why: problem }
  const unwrapped = wrap(folder, root, brand)
  if (unwrapped !== undefined) return { ok: false, why: unwrapped }
  const version = await versionOf(join(folder, "redis-server"))
  return version === undefined
    ? { ok: false, why: `${folder}/redis-server does not run` }
    : { ok: true, folder, version }
}
