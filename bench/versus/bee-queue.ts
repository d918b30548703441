/** bee-queue, jobs and results kept, events on where the scenario waits for results. */
import BeeQueue from "bee-queue"
import type { Addition, Done, Payload, Peer } from "./Peer.ts"

const bestConcurrency = 200

export const beeQueue: Peer = {
  name: "bee-queue",
  about: "bee-queue 2.0, concurrency 200, results kept",
  cannot: {
    priority: "it has no priorities",
    cancel: "it has no cancel",
    script: "it has no delays of jobs by number"
  },
  call: async ({ redisUrl, room }) => {
    const queue = new BeeQueue<Payload>("work", {
      prefix: room,
      redis: { url: redisUrl } as never,
      isWorker: false,
      storeJobs: true
    })
    queue.on("error", () => {})
    await queue.ready()
    const jobOf = ({ delayMs, payload }: Addition) => {
      const job = queue.createJob(payload)
      return delayMs === undefined ? job : job.delayUntil(Date.now() + Math.max(1, delayMs))
    }
    const waiting = new Map<string, Promise<Done>>()
    return {
      add: async (addition) => {
        const job = jobOf(addition)
        const ended = new Promise<Done>((resolve) => job.on("succeeded", (result) => resolve(result as Done)))
        const { id } = await job.save()
        if (waiting.size < 100_000) waiting.set(id, ended)
        return id
      },
      addMany: async (additions) => {
        const errors = await queue.saveAll(additions.map(jobOf))
        for (const error of errors.values()) throw error
        // It would keep every job in this process for its events.
        queue.jobs.clear()
      },
      result: async (id) => {
        const ended = waiting.get(id) ?? new Promise<Done>(() => {})
        waiting.delete(id)
        return ended
      },
      close: async () => {
        await queue.close(1_000).catch(() => {})
      }
    }
  },
  work: async ({ redisUrl, room }, { concurrency, defaults, handle }) => {
    let settled = 0
    const queue = new BeeQueue<Payload>("work", {
      prefix: room,
      redis: { url: redisUrl } as never,
      activateDelayedJobs: true,
      // Jobs that are due within this time of each other are moved together.
      ...(defaults ? {} : { delayedDebounce: 10 })
    })
    queue.on("error", () => {})
    queue.on("succeeded", () => settled++)
    await queue.ready()
    queue.process(concurrency ?? bestConcurrency, async (job) => handle(job.data))
    // Stalled jobs are looked for only where one asks for it.
    queue.checkStalledJobs(5_000, () => {})
    return { settled: () => settled, stop: async () => queue.close(1_000).catch(() => {}) }
  }
}
