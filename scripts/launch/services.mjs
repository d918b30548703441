/**
 * Redis and Postgres for one data folder. What REDIS_URL and DATABASE_URL name is used as it is, and a dead one is an error;
 * else the folder's own servers are adopted or started. The last of the programs that use them stops them.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import { withLock } from "./lock.mjs"
import { trueName } from "./places.mjs"
import { runningPostgres, startPostgres, stopPostgres } from "./postgres.mjs"
import { isAlive, lifeOf, stopProcess } from "./processes.mjs"
import { findRedis } from "./redis_binary.mjs"
import { runningRedis, startRedis, stopRedis } from "./redis.mjs"
import { done, note, Refusal, step } from "./say.mjs"
import { closeFolder } from "./secrets.mjs"
import { reachable } from "./wire.mjs"

/** @typedef {import("./places.mjs").Env} Env */
/** @typedef {import("./processes.mjs").Life} Life */
/** @typedef {{ REDIS_URL: string, DATABASE_URL: string }} Urls */

const kinds = {
  REDIS_URL: { what: "a Redis", protocols: ["redis:", "rediss:"], port: 6379, example: "redis://127.0.0.1:6379" },
  DATABASE_URL: {
    what: "a Postgres",
    protocols: ["postgres:", "postgresql:"],
    port: 5432,
    example: "postgres://user@127.0.0.1:5432/db"
  }
}
/** @typedef {keyof typeof kinds} UrlName */

/**
 * Where a given URL points. @param {UrlName} name @param {string} text
 * @returns {{ host: string, port: number, shown: string }} `shown` has no password in it
 */
export const target = (name, text) => {
  const { example, port, protocols, what } = kinds[name]
  const wrong = (/** @type {string} */ got) =>
    new Refusal(`${name}: expected the URL of ${what} such as ${example}, got ${got}`)
  let url
  try {
    url = new URL(text)
  } catch {
    // What it holds may be a secret, so it is not repeated.
    throw wrong("a text that is no URL")
  }
  if (!protocols.includes(url.protocol)) throw wrong(`one that starts with ${url.protocol}`)
  const host = url.hostname.replace(/^\[|\]$/gu, "")
  if (host === "") throw wrong("one without a host")
  const at = Number(url.port) || port
  return { host, port: at, shown: `${url.protocol}//${url.hostname}:${at}${url.pathname === "/" ? "" : url.pathname}` }
}

/**
 * Where a given URL points, also one that names several hosts: `redis+cluster://a:1,b:2`, `redis+sentinel://a,b/name`.
 * @param {UrlName} name @param {string} text @returns {{ places: ReturnType<typeof target>[], shown: string }}
 */
export const targets = (name, text) => {
  const several = /^(rediss?)\+(cluster|sentinel):\/\/(?:[^/?#]*@)?([^/?#]*)([^?#]*)/su.exec(text)
  if (name !== "REDIS_URL" || several === null) {
    const place = target(name, text)
    return { places: [place], shown: place.shown }
  }
  const [, protocol, kind, hosts = "", path = ""] = several
  const port = kind === "sentinel" ? 26_379 : 6_379
  const places = hosts.split(",").map((host) => {
    const place = target(name, `${protocol}://${host}`)
    return /:\d+$/u.test(host) ? place : { ...place, port }
  })
  const shown = places.map((place) => `${place.host}:${place.port}`).join(",")
  return { places, shown: `${protocol}+${kind}://${shown}${path === "/" ? "" : path}` }
}

/** @param {UrlName} name @param {string} text @param {string} label */
const useGiven = (name, text, label) =>
  step(label, `waiting for ${kinds[name].what}`, async () => {
    const { places, shown } = targets(name, text)
    // One of a Cluster's nodes or of the sentinels knows the others.
    const problems = await Promise.all(places.map(({ host, port }) => reachable(host, port)))
    if (!problems.includes(undefined)) {
      const problem = [...new Set(problems)].join(", ")
      throw new Refusal(
        `${name}: expected ${kinds[name].what} at ${shown}, got ${problem}. Start it, or unset ${name} to have one started.`
      )
    }
    return { value: text, detail: `${shown} (from ${name})` }
  })

/**
 * The servers that run already, without starting or checking anything given. @param {Env} env @param {string} data
 * @returns {Promise<Partial<Urls>>}
 */
export const runningServices = async (env, data) => {
  const redis = env["REDIS_URL"] || (await runningRedis(data))?.url
  const postgres = env["DATABASE_URL"] || (await runningPostgres(data))?.url
  return { ...(redis && { REDIS_URL: redis }), ...(postgres && { DATABASE_URL: postgres }) }
}

/** @param {string} data */
export const lockOf = (data) => join(data, "services.lock")

/**
 * Finds or starts both. @param {Env} env @param {string} data the data folder; it is made if need be
 * @param {{ throwaway?: boolean }} [options] `throwaway`: nothing in it outlives the run
 * @returns {Promise<Urls>}
 */
export const ensureServices = async (env, data, { throwaway = false } = {}) => {
  closeFolder(data)
  return withLock(lockOf(data), async () => {
    const from = performance.now()
    const since = () => performance.now() - from
    const ownRedis = async () => {
      const running = await runningRedis(data)
      const shown = (/** @type {string} */ url) => target("REDIS_URL", url).shown
      if (running) return (done("redis", `${running.detail} runs already, ${shown(running.url)}`, since()), running.url)
      const binary = await findRedis(env)
      const { detail, url } = await startRedis(data, binary)
      return (done("redis", `${detail} started, ${shown(url)} (${binary.from})`, since()), url)
    }
    const ownPostgres = async () => {
      const running = await runningPostgres(data)
      const shown = (/** @type {string} */ url) => target("DATABASE_URL", url).shown
      if (running)
        return (done("postgres", `${running.detail} runs already, ${shown(running.url)}`, since()), running.url)
      const { detail, url } = await startPostgres(data, env, { throwaway })
      return (done("postgres", `${detail} started, ${shown(url)}`, since()), url)
    }
    const given = { redis: env["REDIS_URL"], postgres: env["DATABASE_URL"] }
    const both = await Promise.allSettled([
      given.redis ? useGiven("REDIS_URL", given.redis, "redis") : ownRedis(),
      given.postgres ? useGiven("DATABASE_URL", given.postgres, "postgres") : ownPostgres()
    ])
    const [first, second] = both
    if (first.status === "rejected" || second.status === "rejected") {
      const reasons = both.flatMap((one) => (one.status === "rejected" ? [one.reason] : []))
      throw reasons.every((one) => one instanceof Refusal)
        ? new Refusal(reasons.map((one) => one.message).join("\n    "))
        : reasons[0]
    }
    return { REDIS_URL: first.value, DATABASE_URL: second.value }
  })
}

/** Stops what runs for this data folder. @param {string} data @returns {Promise<ReadonlyArray<string>>} what was stopped */
export const stopServices = async (data) => {
  const [redis, postgres] = await Promise.all([stopRedis(data), stopPostgres(data)])
  return [...(redis ? ["Redis"] : []), ...(postgres ? ["Postgres"] : [])]
}

/** @typedef {{ data: string, launcher: Life, main?: Life }} User a program that uses the servers */

/** @param {string} data */
const usersFolder = (data) => join(data, "users")

/** @param {string} data @returns {{ file: string, user: User }[]} */
const users = (data) => {
  /** @type {string[]} */
  let names = []
  try {
    names = readdirSync(usersFolder(data))
  } catch {
    return []
  }
  return names.flatMap((name) => {
    const file = join(usersFolder(data), name)
    try {
      const user = JSON.parse(readFileSync(file, "utf8"))
      return user.data === trueName(data) ? [{ file, user }] : []
    } catch {
      return []
    }
  })
}

/** Writes down that this process uses the servers. @param {string} data @param {Life} [main] the program it runs */
export const enter = (data, main) => {
  mkdirSync(usersFolder(data), { recursive: true })
  const file = join(usersFolder(data), `${process.pid}.json`)
  writeFileSync(file, JSON.stringify({ data: trueName(data), launcher: lifeOf(process.pid), ...(main && { main }) }))
}

/** Ends what launchers that were killed have left running. @param {string} data */
export const sweep = async (data) => {
  for (const { file, user } of users(data)) {
    if (isAlive(user.launcher)) continue
    if (user.main && isAlive(user.main)) {
      note(`process ${user.main.pid} was left behind by a launcher that was killed; stopping it`)
      await stopProcess(user.main, "SIGTERM", 15_000)
    }
    rmSync(file, { force: true })
  }
}

/**
 * Writes down that this process is done with the servers, and stops those of this folder if nobody else uses them.
 * @param {string} data
 */
export const leave = (data) =>
  withLock(lockOf(data), async () => {
    rmSync(join(usersFolder(data), `${process.pid}.json`), { force: true })
    const others = users(data).filter(({ user }) => isAlive(user.launcher))
    if (others.length > 0) {
      note(`Redis and Postgres run on for ${others.length} other ${others.length === 1 ? "process" : "processes"}`)
      return
    }
    const from = performance.now()
    const stopped = await stopServices(data)
    if (stopped.length > 0) done("stopped", stopped.join(" and "), performance.now() - from)
  })
