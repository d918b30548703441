/**
 * Finds a Redis (or Valkey) server program: on PATH, in our cache, unpacked from Debian's packages into that cache without
 * touching the host, from Homebrew, or as a container. Leaves starting it to `redis.mjs`.
 */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { libraryFolders, osRelease, unpackDebian } from "./debian.mjs"
import { withLock } from "./lock.mjs"
import { cacheFolder } from "./places.mjs"
import { run, tail } from "./processes.mjs"
import { Refusal, step } from "./say.mjs"

/** @typedef {import("./places.mjs").Env} Env */
/**
 * @typedef {object} RedisBinary how to start a server
 * @property {string} command
 * @property {ReadonlyArray<string>} before arguments that come before the server's own
 * @property {Env} env variables it needs
 * @property {string} from where it was found, for people
 * @property {boolean} container whether it runs in a container (its own pid and folder then mean nothing here)
 */

/** `Redis server v=7.0.15 sha=…`, `Valkey server v=8.1.1 …` → [7, 0] @param {string} text @returns {readonly [number, number] | undefined} */
export const serverVersion = (text) => {
  const match = /\bv=(\d+)\.(\d+)/u.exec(text)
  return match ? [Number(match[1]), Number(match[2])] : undefined
}

/** @param {string} command @param {Env} env @returns {Promise<boolean>} whether it runs and is 7.0 or newer */
const serves = async (command, env) => {
  const { code, stdout } = await run(command, ["--version"], { env: { ...process.env, ...env }, timeoutMs: 5_000 })
  const version = code === 0 ? serverVersion(stdout) : undefined
  return version !== undefined && version[0] >= 7
}

/** @param {string} command @param {string} from @param {Env} [env] @returns {RedisBinary} */
const binary = (command, from, env = {}) => ({ command, before: [], env, from, container: false })

/** @param {Env} env @returns {Promise<RedisBinary>} */
export const findRedis = async (env) => {
  /** @type {string[]} */
  const tried = []
  for (const name of ["redis-server", "valkey-server"]) {
    if (await serves(name, {})) return binary(name, `${name} on PATH`)
    tried.push(`no ${name} 7.0 or newer on PATH`)
  }
  const found = (await fromDebian(env, tried)) ?? (await fromHomebrew(tried)) ?? (await fromDocker(tried))
  if (found) return found
  throw new Refusal(
    `REDIS_URL: expected a Redis 7.0 or newer, got none (${tried.join("; ")}). Install redis-server or set REDIS_URL.`
  )
}

/** @param {Env} env @param {string[]} tried */
const fromDebian = async (env, tried) => {
  if (process.platform !== "linux") return undefined
  const home = join(cacheFolder(env), "redis", `${osRelease()}-${process.arch}`)
  const root = join(home, "root")
  const program = join(root, "usr", "bin", "redis-server")
  const unpacked = async () => {
    const libraries = { LD_LIBRARY_PATH: libraryFolders(root).join(":") }
    return existsSync(program) && (await serves(program, libraries))
      ? binary(program, "Debian's package, unpacked in the cache", libraries)
      : undefined
  }
  const cached = await unpacked()
  if (cached) return cached
  if ((await run("apt-get", ["--version"])).code !== 0 || (await run("dpkg-deb", ["--version"])).code !== 0) {
    tried.push("no apt-get and dpkg-deb to unpack one with")
    return undefined
  }
  return withLock(`${home}.lock`, async () => {
    const meanwhile = await unpacked()
    if (meanwhile) return meanwhile
    const problem = await step("redis", "fetching Redis from Debian's packages", async () => {
      const value = await unpackDebian(home, root, ["redis-server", "redis-tools"])
      return { value, detail: value === undefined ? `Debian's package unpacked into ${home}` : undefined }
    })
    const found = problem === undefined ? await unpacked() : undefined
    if (!found) tried.push(`apt-get: ${problem ?? "the unpacked server does not run"}`)
    return found
  })
}

/** @param {string[]} tried */
const fromHomebrew = async (tried) => {
  if (process.platform !== "darwin") return undefined
  if ((await run("brew", ["--version"])).code !== 0) {
    tried.push("no brew")
    return undefined
  }
  const installed = await run("brew", ["install", "--quiet", "redis"], { timeoutMs: 600_000 })
  const prefix = (await run("brew", ["--prefix", "redis"])).stdout.trim()
  const program = join(prefix, "bin", "redis-server")
  if (await serves(program, {})) return binary(program, "Homebrew")
  tried.push(`brew: ${tail(installed.stderr, 2)}`)
  return undefined
}

/** @param {string[]} tried @returns {Promise<RedisBinary | undefined>} */
const fromDocker = async (tried) => {
  if ((await run("docker", ["info"], { timeoutMs: 4_000 })).code !== 0) {
    tried.push("no Docker engine that answers")
    return undefined
  }
  // In the foreground: the docker program passes our signals on, so it is stopped like any other server.
  return {
    command: "docker",
    before: ["run", "--rm", "--init"],
    env: {},
    from: "the container redis:7",
    container: true
  }
}
