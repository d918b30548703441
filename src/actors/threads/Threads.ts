/**
 * The threads of one worker process, for tasks that burn CPU. Promises at most `size` of them, each for one module and one
 * memory limit, started when first needed; that a job which is interrupted (time limit, revoke, drain) is killed together
 * with its thread; and that a thread is replaced after so many jobs, beyond its memory, or when it ends under its job.
 */
import { Effect } from "effect"
import { availableParallelism } from "node:os"
import { Worker } from "node:worker_threads"
import { type Execute, ThreadCrashed, type ThreadSpec } from "../../jobs/Thread.ts"
import type { Thrown } from "../../jobs/ThreadHandler.ts"
import { threadFile } from "./Files.ts"
import type { Answer, Ask } from "./Messages.ts"

/** Threads of a worker process where the options do not say: all cores but the one of the main loop. */
export const defaultSize = (): number => Math.max(1, availableParallelism() - 1)

/** A thread without work for so long is ended, ms. */
const idleMs = 60_000
/** Share of its memory limit at which a thread is replaced after a job. */
const fullAt = 0.75
const mebibyte = 1_048_576

type Failed = { readonly thrown: Thrown } | ThreadCrashed

interface Request {
  readonly spec: ThreadSpec
  readonly ask: Ask
  readonly progress: (value: unknown) => void
  readonly resume: (end: Effect.Effect<unknown, Failed>) => void
  thread: Thread | undefined
}

interface Thread {
  readonly kind: string
  readonly worker: Worker
  request: Request | undefined
  jobs: number
  /** Ended or about to: it takes no further job. */
  ending: boolean
  /** Why it ends, where an error said so. */
  error: string | undefined
  idle: NodeJS.Timeout | undefined
  /** Resolves when it is gone. */
  readonly gone: Promise<void>
}

const kindOf = (spec: ThreadSpec): string => `${spec.memoryMb ?? 0} ${spec.module}`

export class Threads {
  readonly size: number
  private readonly threads = new Set<Thread>()
  private readonly waiting = new Set<Request>()
  private readonly running = new Map<string, number>()
  private closed = false
  /** Threads started since the worker's start. */
  started = 0
  /** Threads that ended under a job. */
  crashed = 0

  constructor(size: number = defaultSize()) {
    this.size = Math.max(1, Math.floor(size))
  }

  /** Threads that live now. */
  get count(): number {
    return this.threads.size
  }

  readonly execute: Execute = (spec, payload, job, progress) =>
    Effect.callback((resume) => {
      const request: Request = { spec, ask: { payload, job }, progress, resume, thread: undefined }
      this.waiting.add(request)
      this.pump()
      return Effect.promise(() => this.cancel(request))
    })

  /** Ends all threads; resolves when they are gone. */
  async close(): Promise<void> {
    this.closed = true
    await Promise.all([...this.threads].map((thread) => this.end(thread)))
  }

  /** Gives waiting jobs to threads, oldest first, as far as threads and the limits of their tasks allow. */
  private pump(): void {
    if (this.closed) return
    for (const request of this.waiting) {
      if ((this.running.get(request.spec.task) ?? 0) >= request.spec.concurrency) continue
      const thread = this.threadFor(kindOf(request.spec), request.spec)
      if (thread === undefined) continue
      this.waiting.delete(request)
      this.give(thread, request)
    }
  }

  /** An idle thread of the kind, or a new one; where there is no room, an idle one of another kind makes it. */
  private threadFor(kind: string, spec: ThreadSpec): Thread | undefined {
    let other: Thread | undefined
    for (const thread of this.threads) {
      if (thread.request !== undefined || thread.ending) continue
      if (thread.kind === kind) return thread
      other = thread
    }
    if (this.threads.size < this.size) return this.start(kind, spec)
    // Its end pumps again.
    if (other !== undefined) void this.end(other)
    return undefined
  }

  private start(kind: string, spec: ThreadSpec): Thread {
    const worker = new Worker(threadFile("handler"), {
      name: spec.task,
      workerData: { module: spec.module },
      ...(spec.memoryMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: spec.memoryMb } })
    })
    this.started++
    const gone = new Promise<void>((resolve) => {
      worker.once("exit", (code) => {
        this.ended(thread, code)
        resolve()
      })
    })
    const thread: Thread = {
      kind,
      worker,
      request: undefined,
      jobs: 0,
      ending: false,
      error: undefined,
      idle: undefined,
      gone
    }
    worker.on("error", (error: unknown) => {
      thread.error = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    })
    worker.on("message", (answer: Answer) => this.hear(thread, answer))
    this.threads.add(thread)
    return thread
  }

  private give(thread: Thread, request: Request): void {
    if (thread.idle !== undefined) clearTimeout(thread.idle)
    thread.worker.ref()
    thread.request = request
    request.thread = thread
    this.running.set(request.spec.task, (this.running.get(request.spec.task) ?? 0) + 1)
    thread.worker.postMessage(request.ask, [])
  }

  private hear(thread: Thread, answer: Answer): void {
    const { request } = thread
    if (request === undefined || thread.ending) return
    if (answer.kind === "progress") return request.progress(answer.value)
    this.release(thread, request)
    thread.jobs++
    const { maxTasksPerChild, memoryMb } = request.spec
    const full = memoryMb !== undefined && answer.heapBytes > memoryMb * mebibyte * fullAt
    if (thread.jobs >= maxTasksPerChild || full) void this.end(thread)
    else this.rest(thread)
    request.resume(
      answer.kind === "done"
        ? Effect.sync(() => JSON.parse(answer.result) as unknown)
        : Effect.fail({ thrown: answer.thrown })
    )
    this.pump()
  }

  /** An idle thread keeps no process alive, and ends when there is nothing for it for long. */
  private rest(thread: Thread): void {
    thread.worker.unref()
    thread.idle = setTimeout(() => void this.end(thread), idleMs)
    thread.idle.unref()
  }

  private release(thread: Thread, request: Request): void {
    thread.request = undefined
    const left = (this.running.get(request.spec.task) ?? 1) - 1
    if (left === 0) this.running.delete(request.spec.task)
    else this.running.set(request.spec.task, left)
  }

  private async cancel(request: Request): Promise<void> {
    this.waiting.delete(request)
    const { thread } = request
    if (thread?.request !== request) return
    await this.end(thread)
  }

  private async end(thread: Thread): Promise<void> {
    if (!thread.ending) {
      thread.ending = true
      if (thread.idle !== undefined) clearTimeout(thread.idle)
      await thread.worker.terminate()
    }
    await thread.gone
  }

  private ended(thread: Thread, code: number): void {
    const told = thread.ending
    thread.ending = true
    this.threads.delete(thread)
    const { request } = thread
    if (request !== undefined) {
      this.release(thread, request)
      if (!told) {
        this.crashed++
        const why = thread.error ?? `the thread ended with exit code ${code}`
        request.resume(Effect.fail(new ThreadCrashed(why)))
      }
    }
    this.pump()
  }
}
