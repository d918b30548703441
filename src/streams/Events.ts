/**
 * The life of jobs as it happens, on one capped stream: an entry per batch, rows inside. Promises one blocking connection
 * per process however many listen, and that a listener who names the last id it saw gets what came after (as far as kept).
 * Events are for people and waiting callers; the truth about a job is its hash.
 */
import { Context, Effect, Layer, Queue, Stream } from "effect"
import { type QueueName, queueOf } from "../jobs/JobQueue.ts"
import { isState, type JobState } from "../jobs/Outcome.ts"
import { keysOf } from "./Keys.ts"
import { type Client, Redis } from "./Redis.ts"

/** One job at a glance. Times in epoch ms. */
export interface JobRow {
  readonly id: string
  readonly task: string
  readonly queue: QueueName
  readonly state: JobState
  readonly attempt: number
  readonly enqueuedAt: number | null
  readonly startedAt: number | null
  readonly finishedAt: number | null
  readonly durationMs: number | null
  readonly error: string | null
}

/** A batch of rows; `seq` is the stream's id, to be named when one listens again. */
export interface EventBatch {
  readonly seq: string
  readonly rows: ReadonlyArray<JobRow>
}

/** A row as it travels: short, since there are many. */
export type PackedRow = readonly [
  id: string,
  task: string,
  state: JobState,
  attempt: number,
  enqueuedAt: number | null,
  startedAt: number | null,
  finishedAt: number | null,
  error?: string | null,
  /** A small result as JSON text, so that whoever waits need not ask for it; only in events of few rows. */
  result?: string
]

const rowsKept = 100_000
const rowsPerEntry = 500
let average = 1

/** How many entries are kept once one of so many rows is added. */
export const keepOf = (rows: number): number => {
  average += (rows - average) * 0.02
  return Math.max(200, Math.min(10_000, Math.floor(rowsKept / Math.max(1, average))))
}

/** Appends rows as one entry. How many entries are kept depends on how full they are: about 100,000 rows, at least 200 entries. */
export const emit = (client: Client, namespace: string, rows: ReadonlyArray<PackedRow>): Promise<unknown> => {
  if (rows.length === 0) return Promise.resolve()
  if (rows.length > rowsPerEntry) {
    return emit(client, namespace, rows.slice(0, rowsPerEntry)).then(() =>
      emit(client, namespace, rows.slice(rowsPerEntry))
    )
  }
  return client.xadd(keysOf(namespace).events, "MAXLEN", "~", keepOf(rows.length), "*", "rows", JSON.stringify(rows))
}

export const unpack = (row: PackedRow): JobRow => ({
  id: row[0],
  task: row[1],
  queue: queueOf(row[0]) ?? "default",
  state: row[2],
  attempt: row[3],
  enqueuedAt: row[4],
  startedAt: row[5],
  finishedAt: row[6],
  durationMs: row[5] !== null && row[6] !== null ? Math.max(0, row[6] - row[5]) : null,
  error: row[7] ?? null
})

export type Entry = readonly [id: string, fields: ReadonlyArray<string>]

/** The last ms that a `Date` can tell. */
const timeMax = 8_640_000_000_000_000

const isTime = (value: unknown): value is number | null =>
  value === null || (Number.isInteger(value) && Math.abs(value as number) <= timeMax)

const isRow = (row: unknown): row is PackedRow =>
  Array.isArray(row) &&
  typeof row[0] === "string" &&
  typeof row[1] === "string" &&
  isState(row[2]) &&
  Number.isInteger(row[3]) &&
  isTime(row[4]) &&
  isTime(row[5]) &&
  isTime(row[6]) &&
  (row[7] === undefined || row[7] === null || typeof row[7] === "string") &&
  (row[8] === undefined || typeof row[8] === "string")

/** The rows of a stream entry. What is not ours is left out: one strange entry must not hide all the others from their readers. */
export const packedRows = (entry: Entry): ReadonlyArray<PackedRow> => {
  try {
    const rows: unknown = JSON.parse(entry[1][1] ?? "[]")
    return Array.isArray(rows) ? rows.filter(isRow) : []
  } catch {
    return []
  }
}

type Listener = (seq: string, rows: ReadonlyArray<PackedRow>) => void

export class Events extends Context.Service<
  Events,
  {
    /**
     * Batches as they come, after `after` where given (else from now on). A slow reader loses the oldest of 256 waiting
     * batches; it can tell by looking at the rows' jobs again.
     */
    readonly tail: (after?: string) => Stream.Stream<EventBatch>
    /** Calls back for each batch from now on; resolves once listening. Returns how to stop. */
    readonly listen: (listener: Listener) => Promise<() => void>
  }
>()("loglytics/streams/Events") {
  static readonly layer = Layer.effect(
    Events,
    Effect.gen(function* () {
      const redis = yield* Redis
      const reader = yield* redis.dedicated("events")
      const tailer = new Tailer(redis.client, reader, keysOf(redis.namespace).events)
      yield* Effect.addFinalizer(() => Effect.sync(() => tailer.stop()))
      return Events.of({
        listen: (listener) => tailer.listen(listener),
        tail: (after) =>
          Stream.callback<EventBatch>(
            (queue) =>
              Effect.acquireRelease(
                Effect.promise(() =>
                  tailer.listenFrom(after, (seq, rows) => {
                    Queue.offerUnsafe(queue, { seq, rows: rows.map(unpack) })
                  })
                ),
                (stop) => Effect.sync(stop)
              ),
            { bufferSize: 256, strategy: "sliding" }
          )
      })
    })
  )
}

/** Reads the stream on one connection while anyone listens. */
class Tailer {
  private readonly listeners = new Set<Listener>()
  private readonly shared: Client
  private readonly reader: Client
  private readonly key: string
  private last = ""
  private running = false
  private stopped = false
  private starting: Promise<void> | undefined

  constructor(shared: Client, reader: Client, key: string) {
    this.shared = shared
    this.reader = reader
    this.key = key
  }

  stop(): void {
    this.stopped = true
    this.listeners.clear()
  }

  async listen(listener: Listener): Promise<() => void> {
    this.listeners.add(listener)
    await this.start()
    return () => void this.listeners.delete(listener)
  }

  /** First what came after `after`, then what comes; nothing twice. */
  async listenFrom(after: string | undefined, listener: Listener): Promise<() => void> {
    if (after === undefined) return this.listen(listener)
    let waiting: Array<readonly [string, ReadonlyArray<PackedRow>]> | undefined = []
    let seen = after
    const stop = await this.listen((seq, rows) => {
      if (waiting !== undefined) waiting.push([seq, rows])
      else if (newer(seq, seen)) listener(seq, rows)
    })
    const missed = await this.shared
      .xrange(this.key, `(${after}`, "+", "COUNT", 1_000)
      .catch(() => [] as ReadonlyArray<Entry>)
    for (const entry of missed as ReadonlyArray<Entry>) {
      seen = entry[0]
      listener(entry[0], packedRows(entry))
    }
    const held = waiting
    waiting = undefined
    for (const [seq, rows] of held) if (newer(seq, seen)) listener(seq, rows)
    return stop
  }

  private start(): Promise<void> {
    if (this.running) return this.starting ?? Promise.resolve()
    this.running = true
    this.starting = this.begin()
    return this.starting
  }

  private async begin(): Promise<void> {
    const newest = await this.shared.xrevrange(this.key, "+", "-", "COUNT", 1).catch(() => [] as ReadonlyArray<Entry>)
    this.last = (newest as ReadonlyArray<Entry>)[0]?.[0] ?? "0-0"
    void this.loop()
  }

  private async loop(): Promise<void> {
    while (!this.stopped && this.listeners.size > 0) {
      try {
        const got = (await this.reader.xread(
          "COUNT",
          100,
          "BLOCK",
          1_000,
          "STREAMS",
          this.key,
          this.last
        )) as ReadonlyArray<readonly [string, ReadonlyArray<Entry>]> | null
        for (const entry of got?.[0]?.[1] ?? []) {
          this.last = entry[0]
          const rows = packedRows(entry)
          for (const listener of this.listeners) listener(entry[0], rows)
        }
        // Whoever has just heard goes on first: the next read is a write of its own.
        await new Promise<void>((resolve) => setImmediate(resolve))
      } catch {
        if (this.stopped) return
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
    this.running = false
  }
}

/** True where stream id `a` is after `b`. */
export const newer = (a: string, b: string): boolean => {
  const [am = "0", as = "0"] = a.split("-")
  const [bm = "0", bs = "0"] = b.split("-")
  return am === bm ? Number(as) > Number(bs) : Number(am) > Number(bm)
}
