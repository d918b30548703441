/** graphile-worker on Postgres, with a local queue and completions in batches. It deletes finished jobs and keeps no results. */
import { makeWorkerUtils, Logger, run } from "graphile-worker"
import postgres from "postgres"
import type { Addition, Payload, Peer, Place } from "./Peer.ts"

const bestConcurrency = 50
const silent = new Logger(() => () => {})
const schemaOf = ({ room }: Place) => `bench_${process.ppid}_${room}`

const specOf = ({ delayMs, priority }: Addition) => ({
  ...(delayMs === undefined ? {} : { runAt: new Date(Date.now() + delayMs) }),
  ...(priority === undefined ? {} : { priority: priority === "high" ? 0 : 10 })
})

export const graphileWorker: Peer = {
  name: "graphile-worker",
  about: "graphile-worker 0.18 on Postgres, local queue of 500, batched completion, concurrency 50",
  cannot: {
    latency: "it keeps no results",
    killed: "it starts a dead worker's jobs again after 4 hours",
    bytes: "its jobs are in Postgres",
    cancel: "it has no cancel of running jobs",
    script: "it has no scripts"
  },
  call: async (place) => {
    const options = { connectionString: place.databaseUrl, schema: schemaOf(place), logger: silent }
    const utils = await makeWorkerUtils(options)
    await utils.migrate()
    return {
      add: async (addition) => (await utils.addJob("work", addition.payload, specOf(addition))).id,
      addMany: async (additions) => {
        await utils.addJobs(additions.map((a) => ({ identifier: "work", payload: a.payload, ...specOf(a) })))
      },
      close: async () => {
        await utils.release()
        const sql = postgres(place.databaseUrl, { max: 1, onnotice: () => {} })
        await sql`drop schema if exists ${sql(options.schema)} cascade`
        await sql.end()
      }
    }
  },
  work: async (place, { concurrency, defaults, handle }) => {
    let settled = 0
    const runner = await run({
      connectionString: place.databaseUrl,
      schema: schemaOf(place),
      concurrency: concurrency ?? bestConcurrency,
      noHandleSignals: true,
      logger: silent,
      ...(defaults ? {} : { pollInterval: 100 }),
      taskList: {
        work: async (payload) => void (await handle(payload as Payload))
      },
      preset: {
        worker:
          defaults || concurrency !== undefined
            ? {}
            : { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }
      }
    })
    runner.events.on("job:complete", () => settled++)
    return { settled: () => settled, stop: () => runner.stop() }
  }
}
