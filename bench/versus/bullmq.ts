/** BullMQ, results kept, at its best concurrency for jobs that do nothing. */
import { Job, Queue, QueueEvents, Worker } from "bullmq"
import type { Addition, Done, Payload, Peer } from "./Peer.ts"

const bestConcurrency = 200

const optionsOf = ({ delayMs, priority }: Addition) => ({
  ...(delayMs === undefined ? {} : { delay: Math.max(0, delayMs) }),
  ...(priority === undefined ? {} : { priority: priority === "high" ? 1 : 10 })
})

export const bullmq: Peer = {
  name: "bullmq",
  about: "BullMQ 6.7, concurrency 200, results kept",
  cannot: { cancel: "it cancels in its own process only" },
  call: async ({ redisUrl, room }) => {
    const connection = { url: redisUrl, maxRetriesPerRequest: null }
    const queue = new Queue<Payload, Done>("work", { connection, prefix: room })
    await queue.waitUntilReady()
    let events: QueueEvents | undefined
    return {
      add: async (addition) => String((await queue.add("work", addition.payload, optionsOf(addition))).id),
      addMany: async (additions) => {
        await queue.addBulk(additions.map((a) => ({ name: "work", data: a.payload, opts: optionsOf(a) })))
      },
      result: async (id) => {
        events ??= new QueueEvents("work", { connection, prefix: room })
        const [job] = await Promise.all([Job.fromId<Payload, Done>(queue, id), events.waitUntilReady()])
        if (job === undefined) throw new Error(`expected job ${id} to be known`)
        return job.waitUntilFinished(events)
      },
      purge: () => queue.drain(true),
      close: async () => {
        await events?.close()
        await queue.close()
      }
    }
  },
  work: async ({ redisUrl, room }, { concurrency, handle }) => {
    let settled = 0
    const worker = new Worker<Payload, Done>("work", async (job) => handle(job.data), {
      connection: { url: redisUrl, maxRetriesPerRequest: null },
      prefix: room,
      concurrency: concurrency ?? bestConcurrency
    })
    worker.on("completed", () => settled++)
    worker.on("error", () => {})
    await worker.waitUntilReady()
    return { settled: () => settled, stop: () => worker.close() }
  }
}
