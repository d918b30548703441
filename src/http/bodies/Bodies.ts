/**
 * Makes lines of bodies: small ones here, a slice at a time, large ones in a thread of their own, so that neither a long
 * text nor a million events stops the event loop, and a body that unpacks to more memory than there may be costs that thread
 * and, as a rule, not the process: V8 may still end it when a single allocation is too large. What the bytes mean is the protocols' part.
 */
import { Data, Effect, Semaphore, type Scope } from "effect"
import { Worker } from "node:worker_threads"
import { type Asked, type Door, isSent, type Refusal, type Reply } from "../../ingest/Protocol.ts"
import { slices } from "../../ingest/Slices.ts"
import type { Answer, Ask, Question } from "./Messages.ts"

/** Bodies of more bytes than these are read in the thread. */
const hereMax = 256 * 1024
/** Bodies that the thread holds at the same time; others wait. */
const thereMax = 2
/** Memory of the thread where nothing else is said, MiB. */
const memoryDefault = 1_536

/** The thread ended under its bodies; nothing is known of what was not yet taken. */
export class ThreadEnded extends Data.TaggedError("ThreadEnded")<{ readonly why: string }> {
  override get message(): string {
    return `expected the body to be read, got the end of its thread: ${this.why}`
  }
}

/** A body that its protocol takes, on its way to lines. */
export interface Reading {
  /** The next lines of the stream; undefined when there are no more. */
  readonly next: Effect.Effect<ReadonlyArray<string> | undefined, ThreadEnded>
  /** What to answer when all lines are taken. */
  readonly accept: Effect.Effect<Reply, ThreadEnded>
  /** What to answer when only some are, where the protocol can tell. */
  readonly acceptPart: ((taken: number, why: Refusal) => Effect.Effect<Reply, ThreadEnded>) | undefined
}

export interface BodyOptions {
  readonly asked: Asked
  readonly door: Door
  readonly bytes: Buffer
  /** Arrival, epoch ms. */
  readonly now: number
  /** Largest unpacked body, bytes. */
  readonly max: number
  /** Events that were taken before. */
  readonly skip: number
}

export interface Bodies {
  /** Begins to read a body; what it needs is given back with the scope. */
  readonly open: (options: BodyOptions) => Effect.Effect<Reading | Refusal, ThreadEnded, Scope.Scope>
}

const openHere = ({ bytes, door, max, now, skip }: BodyOptions): Reading | Refusal => {
  const sent = door.read?.({ bytes, now, max })
  if (sent === undefined) return { reason: "malformed", message: "expected a door that reads, got another" }
  if (!isSent(sent)) return sent
  const next = slices(sent, skip)
  const { acceptPart } = sent
  return {
    next: Effect.andThen(Effect.yieldNow, Effect.sync(next)),
    accept: Effect.sync(() => sent.accept()),
    acceptPart: acceptPart && ((taken, why) => Effect.sync(() => acceptPart(taken, why)))
  }
}

interface Waiting {
  readonly answer: (answer: Answer) => void
  readonly fail: (why: string) => void
}

/** The thread, started when it is first needed and again when it has ended. It answers in the order it is asked. */
class Thread {
  private readonly memoryMb: number
  private worker: Worker | undefined
  private waiting: Array<Waiting> = []

  constructor(memoryMb: number) {
    this.memoryMb = memoryMb
  }

  /** Whether it runs. */
  get up(): boolean {
    return this.worker !== undefined
  }

  ask(ask: Ask): Promise<Answer> {
    const worker = (this.worker ??= this.start())
    return new Promise((done, failed) => {
      this.waiting.push({ answer: done, fail: (why) => failed(new ThreadEnded({ why })) })
      const bytes = ask.question.kind === "open" ? ask.question.bytes.buffer : undefined
      worker.postMessage(ask, bytes instanceof ArrayBuffer ? [bytes] : [])
    })
  }

  async end(): Promise<void> {
    await this.worker?.terminate()
  }

  private start(): Worker {
    const worker = new Worker(new URL("./bodies.thread.ts", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: this.memoryMb }
    })
    let why = "it was ended"
    worker.on("message", (answer: Answer) => this.waiting.shift()?.answer(answer))
    worker.on("error", (error) => void (why = error instanceof Error ? error.message : String(error)))
    worker.on("exit", () => {
      if (this.worker === worker) this.worker = undefined
      for (const one of this.waiting.splice(0)) one.fail(why)
    })
    worker.unref()
    return worker
  }
}

/** The bytes in a buffer of their own, which may be given away. */
const own = (bytes: Buffer): Uint8Array =>
  bytes.byteLength === bytes.buffer.byteLength ? new Uint8Array(bytes.buffer as ArrayBuffer) : new Uint8Array(bytes)

/** The reader of a process, until the scope closes. `memoryMb`: memory of the thread, MiB. */
export const makeBodies = Effect.fnUntraced(function* (memoryMb: number = memoryDefault) {
  const thread = new Thread(memoryMb)
  yield* Effect.addFinalizer(() => Effect.promise(() => thread.end()))
  const permits = yield* Semaphore.make(thereMax)
  let readings = 0

  const openThere = Effect.fnUntraced(function* ({ asked, bytes, max, now, skip }: BodyOptions) {
    const reading = ++readings
    yield* Effect.acquireRelease(permits.take(1), () => permits.release(1), { interruptible: true })
    const ask = (question: Question): Effect.Effect<Answer, ThreadEnded> =>
      Effect.tryPromise({
        try: () => thread.ask({ reading, question }),
        catch: (error) => (error instanceof ThreadEnded ? error : new ThreadEnded({ why: String(error) }))
      })
    const { headers, method, path, query } = asked
    yield* Effect.addFinalizer(() => (thread.up ? Effect.ignore(ask({ kind: "close" })) : Effect.void))
    const head = { headers: { ...headers }, method, path, query: query.toString() }
    const opened = yield* ask({ kind: "open", head, bytes: own(bytes), max, now, skip })
    if (opened.kind === "refused") return opened.refusal
    const reply = (question: Question) =>
      Effect.flatMap(ask(question), (answer) =>
        answer.kind === "reply" && answer.reply !== undefined
          ? Effect.succeed(answer.reply)
          : Effect.fail(new ThreadEnded({ why: "it knows nothing of the body" }))
      )
    return {
      next: Effect.map(ask({ kind: "next" }), (answer) => (answer.kind === "lines" ? answer.lines : undefined)),
      accept: reply({ kind: "accept" }),
      acceptPart:
        opened.kind === "opened" && opened.parts
          ? (taken: number, why: Refusal) => reply({ kind: "accept part", taken, why })
          : undefined
    } satisfies Reading
  })

  return {
    open: (options) => (options.bytes.length > hereMax ? openThere(options) : Effect.sync(() => openHere(options)))
  } satisfies Bodies
})
