/**
 * The Redis of a data folder: adopts the one that runs, or starts one (append-only file, no eviction, this machine only).
 * A server counts as ours only when its process, port and folder are the recorded ones and it answers to our password.
 */
import { spawn } from "node:child_process"
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { trueName } from "./places.mjs"
import { isAlive, lifeOf, stopProcess } from "./processes.mjs"
import { Refusal } from "./say.mjs"
import { ensurePassword, knownPassword, writePrivate } from "./secrets.mjs"
import { askRedis, freePort } from "./wire.mjs"

/** @typedef {import("./processes.mjs").Life} Life */
/** @typedef {import("./redis_binary.mjs").RedisBinary} RedisBinary */
/** @typedef {Life & { data: string, port: number, container: boolean }} RedisRecord `data`: the folder it was written for */
/** @typedef {{ url: string, detail: string }} Running */

/** @param {string} data the data folder */
const places = (data) => ({
  folder: join(data, "redis"),
  record: join(data, "redis.json"),
  log: join(data, "redis.log")
})

/** @param {string} data @returns {RedisRecord | undefined} */
const recorded = (data) => {
  try {
    const record = JSON.parse(readFileSync(places(data).record, "utf8"))
    return record.data === trueName(data) ? record : undefined
  } catch {
    return undefined
  }
}

/** @param {RedisRecord} record @param {string} data @returns {Promise<string | undefined>} its version when it is ours and answers */
const ours = async (record, data) => {
  if (!isAlive(record)) return undefined
  try {
    const { folder, pid, version } = await askRedis(record.port, { password: knownPassword(data) })
    if (record.container) return version
    return pid === record.pid && trueName(folder) === trueName(places(data).folder) ? version : undefined
  } catch {
    return undefined
  }
}

/** The running Redis of this data folder, if any. @param {string} data @returns {Promise<Running | undefined>} */
export const runningRedis = async (data) => {
  const record = recorded(data)
  const version = record && (await ours(record, data))
  return version && record ? { url: urlOf(record.port, knownPassword(data)), detail: version } : undefined
}

/** @param {number} port @param {string | undefined} password */
const urlOf = (port, password) => `redis://${password ? `:${password}@` : ""}127.0.0.1:${port}`

/** The process that is recorded for this data folder, alive or not. @param {string} data @returns {Life | undefined} */
export const redisLife = (data) => recorded(data)

/** How long a server may take to load its file. */
const loading_max_ms = 120_000

/**
 * Starts the Redis of this data folder; call it only when `runningRedis` found none, and under the folder's lock.
 * @param {string} data
 * @param {RedisBinary} binary
 * @param {{ samePort?: boolean }} [options] `samePort`: its URL is in use, so no other port will do
 * @returns {Promise<Running>}
 */
export const startRedis = async (data, binary, { samePort = false } = {}) => {
  const { folder, log, record } = places(data)
  const before = recorded(data)
  // One that lives but does not answer as ours must not write into the same files.
  if (before) await stopProcess(before, "SIGTERM", 5_000)
  // What is in the queues is nobody else's business.
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const port = await freePort(before?.port)
  if (samePort && port !== before?.port)
    throw new Refusal(`Redis: expected port ${before?.port} to be free, it is taken`)
  const password = ensurePassword(data)
  // Redis would make it for everybody to read.
  closeSync(openSync(log, "a", 0o600))
  chmodSync(log, 0o600)
  const inside = binary.container
    ? ["-i", "-p", `127.0.0.1:${port}:6379`, "-v", `${folder}:/data`, "redis:7", "redis-server"]
    : ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--logfile", log]
  const settings = [
    "--appendonly",
    "yes",
    "--appendfsync",
    "everysec",
    "--save",
    "",
    "--maxmemory-policy",
    "noeviction",
    // The rest comes on standard input: what is on the command line is seen by everybody.
    "-"
  ]
  const child = spawn(binary.command, [...binary.before, ...inside, ...settings], {
    // Its own process group: Ctrl-C is for the main program, the server is stopped when that has drained.
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    cwd: folder,
    env: { ...process.env, ...binary.env }
  })
  const state = { ended: "" }
  child.on("error", (error) => (state.ended = error.message))
  child.on("exit", (code) => (state.ended ||= `it exited with ${code}`))
  child.stdin.on("error", () => {})
  child.stdin.end(`requirepass ${password}\n`)
  child.unref()
  const life = { ...lifeOf(child.pid ?? -1), data: trueName(data), port, container: binary.container }
  writePrivate(record, JSON.stringify(life))
  for (const until = Date.now() + loading_max_ms; Date.now() < until && state.ended === "";) {
    const version = await ours(life, data)
    if (version) return { url: urlOf(port, password), detail: version }
    await sleep(20)
  }
  await stopProcess(life, "SIGTERM", 2_000)
  throw new Refusal(
    `Redis (${binary.from}): expected an answer on port ${port}, got none: ${state.ended || "too slow"}; see ${log}`
  )
}

/** Stops the Redis of this data folder, whoever started it. @param {string} data @returns {Promise<boolean>} whether one ran */
export const stopRedis = async (data) => {
  const record = recorded(data)
  if (!record || !isAlive(record)) return false
  await stopProcess(record, "SIGTERM", 20_000)
  // The port is kept in mind so that the next start has the same URL.
  return true
}
