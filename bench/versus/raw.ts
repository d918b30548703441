/**
 * The limit of this machine: a bare ioredis Streams loop that keeps one result per job. 50 handlers in flight, the next read
 * overlaps, acknowledgements and `SET EX` go by pipeline. No retries, fence, cancel or rescue; results are not told to callers
 * but by a blocking read of a stream of results.
 */
import { Redis } from "ioredis"
import { randomUUID } from "node:crypto"
import type { Addition, Caller, Done, Payload, Peer, Place, Working, WorkOptions } from "./Peer.ts"

type Entries = ReadonlyArray<readonly [string, ReadonlyArray<readonly [string, ReadonlyArray<string>]>]> | null

const keys = (room: string) => ({
  jobs: `${room}:jobs`,
  high: `${room}:high`,
  delayed: `${room}:delayed`,
  ends: `${room}:ends`,
  result: (id: string) => `${room}:result:${id}`
})
const group = "workers"
const inFlight = 50
const readMax = 500
const moveEveryMs = 10
const keepSeconds = 86_400

const connect = (url: string): Redis => {
  const client = new Redis(url, { maxRetriesPerRequest: null, enableAutoPipelining: false })
  // Commands tell of their own errors; without a listener ioredis would print them.
  client.on("error", () => {})
  return client
}

const call = async ({ redisUrl, room }: Place): Promise<Caller> => {
  const client = connect(redisUrl)
  const k = keys(room)
  for (const stream of [k.jobs, k.high]) {
    await client.xgroup("CREATE", stream, group, "0", "MKSTREAM").catch(() => {})
  }
  const waiting = new Map<string, (done: Done) => void>()
  const ears = { listener: undefined as Redis | undefined }
  const listen = async (own: Redis) => {
    let last = "0"
    while (ears.listener !== undefined) {
      const got = (await own.xread("COUNT", 500, "BLOCK", 1_000, "STREAMS", k.ends, last).catch(() => null)) as Entries
      for (const [entry, fields] of got?.[0]?.[1] ?? []) {
        last = entry
        for (const { done, id } of JSON.parse(fields[1] ?? "[]") as ReadonlyArray<{ id: string; done: Done }>) {
          waiting.get(id)?.(done)
          waiting.delete(id)
        }
      }
    }
  }
  const send = (target: Pick<Redis, "xadd" | "zadd">, { delayMs, payload, priority }: Addition): [string, unknown] => {
    const id = randomUUID()
    const text = JSON.stringify(payload)
    if (delayMs !== undefined) return [id, target.zadd(k.delayed, Date.now() + delayMs, `${id} ${text}`)]
    return [id, target.xadd(priority === "high" ? k.high : k.jobs, "*", "id", id, "payload", text)]
  }
  return {
    add: async (addition) => {
      const [id, sent] = send(client, addition)
      await sent
      return id
    },
    addMany: async (additions) => {
      for (let i = 0; i < additions.length; i += 128) {
        const pipeline = client.pipeline()
        for (const addition of additions.slice(i, i + 128)) send(pipeline as unknown as Redis, addition)
        await pipeline.exec()
      }
    },
    result: (id) => {
      if (ears.listener === undefined) {
        ears.listener = connect(redisUrl)
        void listen(ears.listener)
      }
      return new Promise((resolve) => waiting.set(id, resolve))
    },
    ping: () => client.ping(),
    close: async () => {
      const own = ears.listener
      ears.listener = undefined
      own?.disconnect()
      client.disconnect()
    }
  }
}

/** Reads one stream and runs what it brings. */
const loop = (client: Redis, reader: Redis, stream: string, room: string, options: WorkOptions) => {
  const k = keys(room)
  const limit = options.concurrency ?? inFlight
  const state = { stopped: false, settled: 0 }
  const buffer: Array<readonly [string, ReadonlyArray<string>]> = []
  let head = 0
  let running = 0
  let wake: (() => void) | undefined
  let ends: Array<{ entry: string; id: string; done: Done }> = []
  const flush = () => {
    const batch = ends
    ends = []
    const pipeline = client.pipeline()
    for (const { done, id } of batch) pipeline.set(k.result(id), JSON.stringify(done), "EX", keepSeconds)
    pipeline.xack(stream, group, ...batch.map((e) => e.entry))
    pipeline.xadd(k.ends, "MAXLEN", "~", 1_000, "*", "ends", JSON.stringify(batch))
    void pipeline.exec().then(() => (state.settled += batch.length))
  }
  const run = async (entry: string, fields: ReadonlyArray<string>): Promise<void> => {
    const done = await options.handle(JSON.parse(fields[3] ?? "{}") as Payload)
    running--
    if (ends.length === 0) setImmediate(flush)
    ends.push({ entry, id: fields[1] ?? "", done })
    pump()
  }
  const pump = () => {
    while (running < limit && head < buffer.length) {
      const [entry, fields] = buffer[head++] as (typeof buffer)[number]
      running++
      void run(entry, fields)
    }
    if (head > 1_000) {
      buffer.splice(0, head)
      head = 0
    }
    if (buffer.length - head < readMax) wake?.()
  }
  const read = async () => {
    while (!state.stopped) {
      if (buffer.length - head >= readMax) await new Promise<void>((resolve) => (wake = resolve))
      wake = undefined
      const count = options.concurrency === undefined ? readMax : Math.max(1, limit - running - (buffer.length - head))
      const got = (await reader
        .xreadgroup("GROUP", group, "c", "COUNT", count, "BLOCK", 1_000, "STREAMS", stream, ">")
        .catch(() => null)) as Entries
      for (const entry of got?.[0]?.[1] ?? []) buffer.push(entry)
      pump()
    }
  }
  void read()
  return { state, stop: () => ((state.stopped = true), wake?.(), reader.disconnect()) }
}

/** Moves what is due, a look every few ms. */
const mover = (client: Redis, room: string) => {
  const k = keys(room)
  const turn = async () => {
    const due = await client.zrangebyscore(k.delayed, 0, Date.now(), "LIMIT", 0, 500)
    if (due.length === 0) return
    const pipeline = client.pipeline()
    for (const member of due) {
      const cut = member.indexOf(" ")
      pipeline.xadd(k.jobs, "*", "id", member.slice(0, cut), "payload", member.slice(cut + 1))
    }
    pipeline.zrem(k.delayed, ...due)
    await pipeline.exec()
  }
  const timer = setInterval(() => void turn().catch(() => {}), moveEveryMs)
  return () => clearInterval(timer)
}

const work = async ({ redisUrl, room }: Place, options: WorkOptions): Promise<Working> => {
  const client = connect(redisUrl)
  const k = keys(room)
  for (const stream of [k.jobs, k.high]) {
    await client.xgroup("CREATE", stream, group, "0", "MKSTREAM").catch(() => {})
  }
  const loops = [k.high, k.jobs].map((stream) => loop(client, connect(redisUrl), stream, room, options))
  const still = mover(client, room)
  return {
    settled: () => loops.reduce((sum, l) => sum + l.state.settled, 0),
    stop: async () => {
      still()
      for (const l of loops) l.stop()
      await client.quit()
    }
  }
}

export const raw: Peer = {
  name: "raw",
  about: "ioredis 6 on Streams, 50 handlers in flight, SET EX per job",
  cannot: {
    killed: "it has no rescue",
    cancel: "it has no cancel",
    script: "it has no scripts"
  },
  call,
  work
}
