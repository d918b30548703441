/**
 * The partitioned stream that batches of log lines travel on. Promises that an accepted batch is in Redis, that a batch id
 * that was accepted before is not added again, that a full partition refuses instead of dropping, and that only the owner
 * of a partition's lease moves its position. What the lines mean is the pipeline's business.
 *
 * The position is the group's last-delivered-id, moved by XGROUP SETID in the same script that writes the judge's state:
 * reading is a plain XREAD, so a paused former owner that wakes up takes nothing from anybody, and XINFO lag stays true.
 */
import { createHash } from "node:crypto"
import { Context, Data, Effect, Layer, type Scope } from "effect"
import * as LogDepth from "./LogDepth.ts"
import { attempt, Redis, type RedisError } from "./Redis.ts"
import * as scripts from "./scripts/logs.ts"

/** The name of the consumer group whose position and lag `XINFO GROUPS` shows. */
export const group = "pipeline"

export interface LogStreamConfig {
  /** How many partitions a project's hash chooses from. Changing it moves projects: drain first. */
  readonly partitions: number
  /** Unprocessed batches that a partition may hold before it refuses. */
  readonly batchesMax: number
  /** Unprocessed bytes that a partition may hold before it refuses. */
  readonly bytesMax: number
  /** How long the id of an accepted batch is remembered that its sender may repeat, ms. */
  readonly rememberMs: number
  /** How long an owner keeps a partition without a sign of life, ms. */
  readonly leaseMs: number
}

/** What is written to the stream: raw lines, cut by a door. */
export interface LogBatch {
  /** Unique among all batches ever; where it comes again, nothing is stored or counted again. */
  readonly id: string
  readonly project: string
  /** Arrival, epoch ms. */
  readonly receivedAt: number
  /** Events, one each; a line may hold line ends. */
  readonly lines: ReadonlyArray<string>
  /** The format that all lines have, where the sender's door knows it. */
  readonly format?: string
}

/**
 * An entry as the pipeline reads it. `rules` says: this project's rules or settings have changed, for what follows; new
 * settings come with it.
 */
export interface LogEntry extends LogBatch {
  readonly entryId: string
  readonly kind: "lines" | "rules"
  readonly bytes: number
  /** Of `rules`: what was handed to `rulesChanged`. */
  readonly settings?: string
}

/** The partition holds as much as it may. Nothing was added; try again after `retryAfterMs`. */
export class LogStreamFull extends Data.TaggedError("LogStreamFull")<{
  readonly partition: number
  readonly batches: number
  readonly bytes: number
  readonly retryAfterMs: number
}> {
  override get message(): string {
    return `log partition ${this.partition} is full (${this.batches} batches, ${this.bytes} bytes wait): try again in ${this.retryAfterMs} ms`
  }
}

/** Another process owns the partition now; what this one still had in hand must not be written. */
export class LeaseLost extends Data.TaggedError("LeaseLost")<{ readonly partition: number }> {}

/** State changes that a commit writes together with the position. */
export type StateChanges = ReadonlyMap<string, string>

/** One owner's view of one partition, until the lease is lost. */
export interface Ownership {
  readonly partition: number
  readonly fence: number
  /** The saved judge state of every project of the partition, by project id. */
  readonly state: ReadonlyMap<string, string>
  /** Waits up to `blockMs` for entries after the position of this reader; [] when none came. */
  readonly read: (count: number, blockMs: number) => Effect.Effect<ReadonlyArray<LogEntry>, RedisError>
  /** Moves position and state together and frees what was read. Fails with LeaseLost when the fence is old. */
  readonly commit: (
    entries: ReadonlyArray<LogEntry>,
    changes: StateChanges
  ) => Effect.Effect<void, RedisError | LeaseLost>
  /** Prolongs the lease. */
  readonly renew: Effect.Effect<void, RedisError | LeaseLost>
  /** Sets an entry aside that can't be stored, with the reason, in `lg:{logs:<p>}:dead`. */
  readonly bury: (entry: LogEntry, reason: string) => Effect.Effect<void, RedisError>
}

/** What a commit has written of one project. */
export interface SavedState {
  /** As in `Ownership.state`: the field that is called like the project is older than all others here. */
  readonly state: ReadonlyMap<string, string>
  readonly caughtUp: boolean
}

export class LogStream extends Context.Service<
  LogStream,
  {
    readonly partitions: number
    readonly partitionOf: (project: string) => number
    /** Adds a batch. `remember` makes the id known for a day, so that a repeated request adds nothing. */
    readonly append: (
      batch: LogBatch,
      options?: { readonly remember?: boolean }
    ) => Effect.Effect<"added" | "duplicate", RedisError | LogStreamFull>
    /** Tells the pipeline, in the order of the stream, that a project's rules have changed, or what its settings now are. */
    readonly rulesChanged: (project: string, at: number, settings?: string) => Effect.Effect<void, RedisError>
    /** Says that this owner is there, for the length of a lease; answers all owners that are, itself among them. */
    readonly present: (owner: string) => Effect.Effect<ReadonlyArray<string>, RedisError>
    /** Says that it is there no more. */
    readonly absent: (owner: string) => Effect.Effect<void, RedisError>
    /** Becomes the owner of a partition, or undefined while another is. Released with the scope. */
    readonly own: (partition: number, owner: string) => Effect.Effect<Ownership | undefined, RedisError, Scope.Scope>
    readonly depth: Effect.Effect<ReadonlyArray<LogDepth.PartitionDepth>, RedisError>
    /** The judge state of one project as it was committed last, and whether all that was accepted before has been. */
    readonly saved: (project: string) => Effect.Effect<SavedState, RedisError>
  }
>()("loglytics/streams/LogStream") {
  static readonly layer = (config: LogStreamConfig) => Layer.effect(LogStream, make(config))
}

/** How lines are written into an entry: parted by newlines, which is quick, or as a JSON array where one holds a newline. */
const encode = (lines: ReadonlyArray<string>): { readonly encoding: "lf" | "json"; readonly text: string } =>
  lines.some((line) => line.includes("\n"))
    ? { encoding: "json", text: JSON.stringify(lines) }
    : { encoding: "lf", text: lines.join("\n") }

/** The lines of an entry. One that is not what it says is a stranger's: it is one line. */
const decode = (encoding: string, text: string): ReadonlyArray<string> => {
  if (text === "") return []
  if (encoding !== "json") return text.split("\n")
  try {
    const lines: unknown = JSON.parse(text)
    if (Array.isArray(lines) && lines.every((line) => typeof line === "string")) return lines
  } catch {
    // Told below.
  }
  return [text]
}

/** How long the id of any other batch is remembered, ms: longer than the driver may send a script again. */
const resentMs = 120_000

/** Counted for each line beside its bytes. */
const lineCost = 100

/** A number that an entry's writer should have put there; 0 where something else stands. */
const natural = (text: string): number => (/^\d{1,15}$/u.test(text) ? Number(text) : 0)

const parseEntry = (entryId: string, fields: ReadonlyArray<string>): LogEntry => {
  const at = (name: string): string => {
    const i = fields.indexOf(name)
    return i >= 0 && i % 2 === 0 ? (fields[i + 1] ?? "") : ""
  }
  const lines = fields[fields.length - 1] ?? ""
  const kind = at("kind") === "rules" ? "rules" : "lines"
  const format = at("format")
  const settings = at("settings")
  return {
    entryId,
    kind,
    id: at("id"),
    project: at("project"),
    receivedAt: natural(at("received")),
    bytes: natural(at("bytes")),
    lines: kind === "rules" ? [] : decode(at("encoding"), lines),
    ...(format === "" ? {} : { format }),
    ...(settings === "" ? {} : { settings })
  }
}

const make = Effect.fnUntraced(function* (config: LogStreamConfig) {
  const redis = yield* Redis
  const keys = (partition: number) => scripts.keys(redis.namespace, partition)
  scripts.define(redis.client)
  const partitionOf = (project: string) =>
    createHash("sha1").update(project).digest().readUInt32BE(0) % config.partitions

  const createGroup = (partition: number) =>
    redis.use("XGROUP CREATE", (client) =>
      client.xgroup("CREATE", keys(partition).batches, group, "0", "MKSTREAM").catch((error: Error) => {
        if (!error.message.startsWith("BUSYGROUP")) throw error
      })
    )
  for (let p = 0; p < config.partitions; p++) yield* createGroup(p)

  const append = Effect.fnUntraced(function* (batch: LogBatch, options?: { readonly remember?: boolean }) {
    const partition = partitionOf(batch.project)
    const { encoding, text } = encode(batch.lines)
    // As bytes: the driver would measure and then write a string of this size.
    const lines = Buffer.from(text)
    const [status, batches, bytes] = yield* redis.use("append log batch", () =>
      scripts.append(redis.client, keys(partition), {
        batchesMax: config.batchesMax,
        bytesMax: config.bytesMax,
        rememberMs: options?.remember === true ? config.rememberMs : resentMs,
        id: batch.id,
        project: batch.project,
        receivedAt: batch.receivedAt,
        // What a line costs beside its text, further on: short lines by the million must fill the backlog, too.
        bytes: lines.length + batch.lines.length * lineCost,
        lines,
        format: batch.format ?? "",
        encoding
      })
    )
    if (status === "full") {
      return yield* new LogStreamFull({ partition, batches, bytes, retryAfterMs: 1_000 })
    }
    return status
  })

  const saved = Effect.fnUntraced(function* (project: string) {
    const key = keys(partitionOf(project))
    return yield* redis.use("saved judge state", async (client) => {
      const caughtUp = (await client.xlen(key.batches)) === 0
      const state = new Map<string, string>()
      const head = await client.hget(key.state, project)
      if (head !== null) state.set(project, head)
      // In steps: the hash is that of all projects of the partition.
      let cursor = "0"
      do {
        const [next, found] = await client.hscan(key.state, cursor, "MATCH", `${project} *`, "COUNT", 1_000)
        for (let i = 0; i + 1 < found.length; i += 2) state.set(found[i] ?? "", found[i + 1] ?? "")
        cursor = next
      } while (cursor !== "0")
      return { state, caughtUp } satisfies SavedState
    })
  })

  return LogStream.of({
    partitions: config.partitions,
    partitionOf,
    append,
    saved,
    rulesChanged: (project, at, settings = "") =>
      redis.use("rules changed", (client) =>
        client.xadd(
          keys(partitionOf(project)).batches,
          "*",
          "kind",
          "rules",
          "settings",
          settings,
          "project",
          project,
          "received",
          at
        )
      ),
    present: (owner) =>
      redis.use("log owners", (client) => scripts.present(client, redis.namespace, owner, config.leaseMs)),
    absent: (owner) =>
      Effect.asVoid(redis.use("log owners", (client) => client.zrem(scripts.ownersKey(redis.namespace), owner))),
    own,
    depth: LogDepth.all(redis, config.partitions)
  })

  function own(partition: number, owner: string) {
    const key = keys(partition)
    return Effect.gen(function* () {
      yield* createGroup(partition)
      const taken = yield* redis.use("take lease", () => scripts.take(redis.client, key, owner, config.leaseMs))
      if (taken === undefined) return undefined
      yield* Effect.addFinalizer(() =>
        redis
          .use("release lease", () => scripts.release(redis.client, key, owner, taken.fence))
          .pipe(Effect.timeout("1 second"), Effect.ignore)
      )
      const reader = yield* redis.dedicated(`logs-${partition}`)
      let position = taken.position
      const commit = (entries: ReadonlyArray<LogEntry>, changes: StateChanges) =>
        Effect.gen(function* () {
          const ok = yield* redis.use("commit log position", () =>
            scripts.commit(redis.client, key, {
              owner,
              fence: taken.fence,
              leaseMs: config.leaseMs,
              position: entries.at(-1)?.entryId ?? "",
              entries: entries.length,
              bytes: entries.reduce((sum, entry) => sum + entry.bytes, 0),
              changes
            })
          )
          if (!ok) return yield* new LeaseLost({ partition })
        })
      return {
        partition,
        fence: taken.fence,
        state: taken.state,
        read: (count, blockMs) =>
          Effect.map(
            attempt("read log batches", () =>
              reader.xread("COUNT", count, "BLOCK", blockMs, "STREAMS", key.batches, position)
            ),
            (reply) => {
              const entries = (reply?.[0]?.[1] ?? []).map(([id, fields]) => parseEntry(id, fields))
              position = entries.at(-1)?.entryId ?? position
              return entries
            }
          ),
        commit,
        renew: commit([], new Map()),
        bury: (entry, reason) =>
          redis.use("bury log batch", (client) =>
            client.xadd(
              key.dead,
              "*",
              "id",
              entry.id,
              "project",
              entry.project,
              "received",
              entry.receivedAt,
              "reason",
              reason,
              "format",
              entry.format ?? "",
              "lines",
              encode(entry.lines).text
            )
          )
      } satisfies Ownership
    })
  }
})
