/**
 * Celery on the same Redis, where python3 has it: one worker with a pool of two processes. Its caller and its worker are Python
 * processes of their own. Handlers run in Python, so scenarios that watch handlers from outside are not run with it.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { Redis } from "ioredis"
import { pause } from "./clock.ts"
import type { Addition, Caller, Done, Peer, Place } from "./Peer.ts"
import { treeCpuUs } from "./Server.ts"

const folder = fileURLToPath(new URL(".", import.meta.url))
const environment = ({ redisUrl, room }: Place) => ({
  ...process.env,
  BENCH_REDIS_URL: redisUrl,
  BENCH_ROOM: room,
  C_FORCE_ROOT: "1",
  PYTHONDONTWRITEBYTECODE: "1"
})

/** A Python with Celery in it; tried once. */
const findPython = (): string | undefined =>
  ["python3", "/usr/bin/python3"].find(
    (python) => spawnSync(python, ["-c", "import celery, redis"], { stdio: "ignore" }).status === 0
  )
let python: string | undefined

const chosen = (): string => {
  python ??= findPython()
  if (python === undefined) throw new Error("expected a python3 with celery and redis, got none")
  return python
}

const unseen = "its handlers run in Python and are not watched from here"

/** The process ends with this one, however that ends. */
const tied = <C extends ChildProcess>(child: C): C => {
  const end = () => child.kill("SIGTERM")
  process.on("exit", end)
  child.once("exit", () => process.off("exit", end))
  return child
}

const stopped = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, "exit")
  child.kill("SIGTERM")
  const timer = setTimeout(() => child.kill("SIGKILL"), 5_000)
  await gone
  clearTimeout(timer)
}

const call = async (place: Place): Promise<Caller> => {
  const child = tied(
    spawn(chosen(), ["celery_side.py"], { cwd: folder, env: environment(place), stdio: ["pipe", "pipe", "ignore"] })
  )
  const answers: Array<(line: string) => void> = []
  createInterface({ input: child.stdout }).on("line", (line) => answers.shift()?.(line))
  const ask = async (request: object): Promise<unknown> => {
    const line = new Promise<string>((resolve) => answers.push(resolve))
    child.stdin.write(`${JSON.stringify(request)}\n`)
    const { error, value } = JSON.parse(await line) as { value?: unknown; error?: string }
    if (error !== undefined) throw new Error(`celery: ${error}`)
    return value
  }
  const add = async (additions: ReadonlyArray<Addition>) => (await ask({ op: "add", additions })) as Array<string>
  return {
    add: async (addition) => (await add([addition]))[0] ?? "",
    addMany: async (additions) => void (await add(additions)),
    result: (id) => ask({ op: "result", id }) as Promise<Done>,
    close: async () => {
      child.stdin.end()
      await stopped(child)
    }
  }
}

export const celery: Peer = {
  name: "celery",
  about: "Celery 5 on Redis, prefork pool of two, prefetch 16",
  cannot: {
    latency: "its caller waits for one result after the other",
    priority: unseen,
    delayed: unseen,
    killed: unseen,
    cancel: unseen,
    script: "it has no scripts"
  },
  absent: () => {
    python ??= findPython()
    return python === undefined ? "no python3 with celery and redis here" : undefined
  },
  call,
  work: async (place) => {
    const options = ["-A", "celery_side", "worker", "-c", "2", "-l", "ERROR", "--without-gossip", "--without-mingle"]
    const child = tied(
      spawn(chosen(), ["-m", "celery", ...options, "-Q", place.room], {
        cwd: folder,
        env: environment(place),
        stdio: ["ignore", "ignore", "ignore"]
      })
    )
    const client = new Redis(place.redisUrl)
    const results = async () =>
      Number(/^cmdstat_setex:calls=(\d+)/mu.exec(await client.info("commandstats").catch(() => ""))?.[1] ?? 0)
    const before = await results()
    // Python is long in starting, which is no part of the work: the clock runs from the first result.
    while ((await results()) === before && child.exitCode === null) await pause(5)
    const idleCpu = treeCpuUs(child.pid ?? 0)
    let settled = 0
    const timer = setInterval(() => void results().then((n) => (settled = n - before)), 20)
    return {
      settled: () => settled,
      cpu: () => treeCpuUs(child.pid ?? 0) - idleCpu,
      stop: async () => {
        clearInterval(timer)
        await stopped(child)
        client.disconnect()
      }
    }
  }
}
