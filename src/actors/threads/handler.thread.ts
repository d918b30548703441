/**
 * What runs in each thread of the pool: loads the task's module once and runs its handler, a job at a time. Promises an
 * answer to every job unless the thread itself ends, which the pool notices.
 */
import { getHeapStatistics } from "node:v8"
import { parentPort, workerData } from "node:worker_threads"
import { handlerOf, thrownOf } from "../../jobs/ThreadHandler.ts"
import type { Answer, Ask } from "./Messages.ts"

const { module } = workerData as { readonly module: string }
const say = (answer: Answer): void => parentPort?.postMessage(answer, [])
let handler: ReturnType<typeof handlerOf> | undefined

const heapBytes = (): number => {
  const { external_memory, used_heap_size } = getHeapStatistics()
  return used_heap_size + external_memory
}

const run = async ({ job, payload }: Ask): Promise<void> => {
  try {
    handler ??= handlerOf(module, await import(module))
    const progress = (value: unknown) => say({ kind: "progress", value })
    const result = JSON.stringify(await handler(payload, { ...job, progress })) ?? "null"
    say({ kind: "done", result, heapBytes: heapBytes() })
  } catch (error) {
    say({ kind: "failed", thrown: thrownOf(error), heapBytes: heapBytes() })
  }
}

parentPort?.on("message", (ask: Ask) => void run(ask))
