/**
 * A Redis of one's own that may be killed. Its append-only file is written before each answer, and fsynced then (`always`) or
 * once a second (`everysec`, where a crash of the machine, not of Redis, may lose the last second). Promises the same port and
 * folder after each start.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { findRedis } from "../../scripts/launch/redis_binary.mjs"
import { askRedis } from "../../scripts/launch/wire.mjs"
import { quietPort } from "../support/quiet_port.ts"

export interface Server {
  readonly url: string
  /** kill -9. */
  readonly kill: () => Promise<void>
  /** SIGTERM: it writes down what it has and goes. */
  readonly stop: () => Promise<void>
  /** Starts it again, and resolves once it answers. */
  readonly start: () => Promise<void>
  /** Every byte it has appended to its file since it was first started: all writes there ever were, in order. */
  readonly written: () => Buffer
}

const startMaxMs = 20_000

export const makeServer = async (folder: string, fsync: "always" | "everysec"): Promise<Server> => {
  const binary = await findRedis(process.env)
  if (binary.container) throw new Error("expected a redis-server program to harm, got only a container")
  mkdirSync(folder, { recursive: true })
  const port = await quietPort()
  let child: ChildProcess | undefined
  const start = async (): Promise<void> => {
    child = spawn(
      binary.command,
      ["--port", port, "--bind", "127.0.0.1", "--dir", folder, "--logfile", join(folder, "redis.log"), "--save", ""]
        .concat("--appendonly", "yes", "--appendfsync", fsync, "--auto-aof-rewrite-percentage", "0")
        .map(String),
      { stdio: "ignore", env: { ...process.env, ...binary.env } }
    )
    for (const until = Date.now() + startMaxMs; ; await pause(10)) {
      const there = await askRedis(port, { withinMs: 500 }).catch(() => undefined)
      if (there !== undefined) return
      if (Date.now() > until)
        throw new Error(`expected Redis to answer within ${startMaxMs} ms, see ${folder}/redis.log`)
    }
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const gone = child
    if (gone === undefined) return
    child = undefined
    const exit = once(gone, "exit")
    gone.kill(signal)
    await exit
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
    start,
    written: () => {
      const files = readdirSync(join(folder, "appendonlydir")).filter((name) => name.endsWith(".incr.aof"))
      const numbered = files.map((name) => [Number(/\.(\d+)\.incr/u.exec(name)?.[1] ?? 0), name] as const)
      numbered.sort((a, b) => a[0] - b[0])
      return Buffer.concat(numbered.map(([, name]) => readFileSync(join(folder, "appendonlydir", name))))
    }
  }
}
