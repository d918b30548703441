/**
 * Watches the servers of a data folder while the main program runs: one that died is started again in its place, on the same
 * port, so that the program reconnects by itself. Whoever of several launchers comes first does it.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { withLock } from "./lock.mjs"
import { postgresLife, runningPostgres, startPostgres } from "./postgres.mjs"
import { isAlive } from "./processes.mjs"
import { findRedis } from "./redis_binary.mjs"
import { redisLife, runningRedis, startRedis } from "./redis.mjs"
import { done, failed, Refusal } from "./say.mjs"
import { lockOf } from "./services.mjs"

/** @typedef {import("./places.mjs").Env} Env */
/** @typedef {import("./processes.mjs").Life} Life */
/** @typedef {import("./redis.mjs").Running} Running */

const look_ms = 500
/** How long to wait before each try; the last one holds for all that follow. */
const waits_ms = [1_000, 2_000, 5_000, 10_000, 30_000]
/** A server that held this long starts over with the first wait. */
const steady_ms = 60_000

/** @param {number} ms @param {AbortSignal} signal */
const pause = (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {})

/**
 * @param {{ name: string, life: () => Life | undefined, running: () => Promise<Running | undefined>, start: () => Promise<Running> }} server
 * @param {string} data @param {AbortSignal} signal @param {() => boolean} stopping
 */
const watchOne = async ({ life, name, running, start }, data, signal, stopping) => {
  const over = () => signal.aborted || stopping()
  let current = life()
  let tries = 0
  let up = Date.now()
  while (!over()) {
    await pause(look_ms, signal)
    if (over() || (current && isAlive(current))) continue
    if (Date.now() - up > steady_ms) tries = 0
    const wait = waits_ms[Math.min(tries++, waits_ms.length - 1)] ?? 0
    failed(`${name} is gone (process ${current?.pid ?? "?"} ended); starting it again in ${wait / 1000} s`)
    await pause(wait, signal)
    if (over()) return
    try {
      const { detail } = await withLock(lockOf(data), async () => {
        if (over()) throw new Refusal("stopping")
        return (await running()) ?? (await start())
      })
      done(name.toLowerCase(), `${detail} runs again`)
      up = Date.now()
    } catch (error) {
      if (!over()) failed(`${name} did not start: ${error instanceof Error ? error.message : String(error)}`)
    }
    current = life()
  }
}

/**
 * Watches those of the two servers that are the folder's own, until it is told to stop.
 * @param {Env} env @param {string} data @param {() => boolean} stopping when true, nothing is started any more
 * @returns {() => void} stops watching
 */
export const watchServices = (env, data, stopping) => {
  const control = new AbortController()
  const redis = {
    name: "Redis",
    life: () => redisLife(data),
    running: () => runningRedis(data),
    start: async () => startRedis(data, await findRedis(env), { samePort: true })
  }
  const postgres = {
    name: "Postgres",
    life: () => postgresLife(data),
    running: () => runningPostgres(data),
    start: () => startPostgres(data, env, { throwaway: false, samePort: true })
  }
  if (!env["REDIS_URL"]) void watchOne(redis, data, control.signal, stopping)
  if (!env["DATABASE_URL"]) void watchOne(postgres, data, control.signal, stopping)
  return () => control.abort()
}
