/**
 * Reads log lines from Kafka topics through kafkajs (an optional dependency, loaded when topics are set). Promises that an offset
 * is committed only after its lines are in the log stream, and that a redelivery adds no line twice, whatever its boundaries.
 *
 * How: before a range of offsets a…b is handed over, `a` is committed again with `b` as the commit's metadata. Whoever gets
 * the partition next, after a crash or a rebalance, reads that note and hands over just a…b first, under the same key, which the
 * stream knows for a day. A consumer that was put out of the group can't write the note, and so hands over nothing.
 */
import { Data, Effect, Exit, Metric, type Redacted, Redacted as Secret } from "effect"
import type { Admin, Consumer, EachBatchPayload, KafkaConfig, KafkaMessage, SASLOptions } from "kafkajs"
import { setTimeout as pause } from "node:timers/promises"
import type { SentEvent } from "../../domain/SentEvent.ts"
import type { Sink } from "./Gather.ts"

export interface KafkaOptions {
  readonly brokers: ReadonlyArray<string>
  readonly topics: ReadonlyArray<string>
  readonly group: string
  readonly sink: Sink
  readonly tls?: boolean
  /** How long the group waits for a member that does not answer before its partitions go to others, ms. */
  readonly sessionMs?: number
  readonly sasl?:
    | {
        readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512"
        readonly username: string
        readonly password: Redacted.Redacted
      }
    | undefined
}

/** Kafka can't be read. `retryable` is false where only a person can help. */
export class KafkaError extends Data.TaggedError("KafkaError")<{
  readonly message: string
  readonly retryable: boolean
}> {}

/** Messages handed over at once, and their bytes. */
const messagesMax = 5_000
const bytesMax = 4 * 1_024 * 1_024
/** Waits between two offers of the same messages, ms. */
const againMs = 500

const received = Metric.counter("kafka_messages_total", { description: "Kafka messages taken into the log stream." })

/** A message as an event; undefined for one without a value. */
export const eventOf = (topic: string, partition: number, message: KafkaMessage): SentEvent | undefined => {
  if (message.value === null) return undefined
  const attributes: Record<string, unknown> = {
    "messaging.system": "kafka",
    "messaging.destination.name": topic,
    "messaging.destination.partition.id": String(partition),
    "messaging.kafka.offset": Number(message.offset)
  }
  if (message.key !== null && message.key.length > 0) attributes["messaging.kafka.message.key"] = String(message.key)
  for (const [name, value] of Object.entries(message.headers ?? {})) {
    if (value !== undefined)
      attributes[`messaging.kafka.header.${name}`] = Array.isArray(value) ? value.map(String) : String(value)
  }
  const at = Number(message.timestamp)
  return {
    line: String(message.value).replace(/\r?\n$/u, ""),
    attributes,
    ...(at > 0 ? { seenAt: at } : {})
  }
}

/** The next range of a batch: at most what may be handed over at once, and not beyond the note of an earlier attempt. */
export const rangeOf = (
  messages: ReadonlyArray<Pick<KafkaMessage, "offset" | "value">>,
  from: number,
  upTo: bigint | undefined
): number => {
  let end = from
  let bytes = 0
  while (end < messages.length && end - from < messagesMax && bytes < bytesMax) {
    const { offset, value } = messages[end]!
    if (upTo !== undefined && BigInt(offset) > upTo) break
    bytes += value?.length ?? 0
    end++
  }
  return end
}

const note = (upTo: string): string => `loglytics upTo=${upTo}`
const readNote = (metadata: string | null | undefined): bigint | undefined => {
  const found = /^loglytics upTo=(\d{1,19})$/u.exec(metadata ?? "")
  return found === null ? undefined : BigInt(found[1]!)
}

const load = Effect.tryPromise({
  try: () => import("kafkajs"),
  catch: (cause) =>
    (cause as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND"
      ? new KafkaError({
          message:
            "LOGLYTICS_KAFKA_TOPICS: expected the package kafkajs to read them with, it is not installed: npm install kafkajs",
          retryable: false
        })
      : new KafkaError({ message: `kafkajs can't be loaded: ${String(cause)}`, retryable: false })
})

/** A partition that is ours: where an earlier attempt was to end, and its messages until all of them are here. */
interface Place {
  upTo: bigint | undefined
  carried: ReadonlyArray<KafkaMessage>
}

/** The partitions that this consumer was given, since it joined the group last. */
class Places {
  private readonly admin: Admin
  private readonly group: string
  private known = new Map<string, Place>()
  constructor(admin: Admin, group: string) {
    this.admin = admin
    this.group = group
  }

  forget(): void {
    this.known = new Map()
  }

  async of(topic: string, partition: number): Promise<Place> {
    const id = `${topic}/${partition}`
    const known = this.known.get(id)
    if (known !== undefined) return known
    const [offsets] = await this.admin.fetchOffsets({ groupId: this.group, topics: [topic] })
    const found = offsets?.partitions.find((one) => one.partition === partition)
    const place: Place = { upTo: readNote(found?.metadata), carried: [] }
    this.known.set(id, place)
    return place
  }
}

type Offer = (events: ReadonlyArray<SentEvent>, key: string) => Promise<string | undefined>

/** Hands a batch over, range by range; ends early when the partition is no longer ours. */
const handOver = async (
  payload: EachBatchPayload,
  group: string,
  consumer: Consumer,
  places: Places,
  offer: Offer
): Promise<void> => {
  const { batch } = payload
  const { partition, topic } = batch
  const commit = (offset: string, metadata: string) => consumer.commitOffsets([{ topic, partition, offset, metadata }])
  const place = await places.of(topic, partition)
  const messages = [...place.carried, ...batch.messages]
  const newest = messages.at(-1)?.offset
  if (newest === undefined) return
  if (place.upTo !== undefined && BigInt(newest) < place.upTo) {
    // The attempt that is repeated held more: it is the same only when all of it is here.
    place.carried = messages
    payload.resolveOffset(newest)
    return await payload.heartbeat()
  }
  place.carried = []
  for (let at = 0; at < messages.length;) {
    if (!payload.isRunning() || payload.isStale()) return
    const end = Math.max(at + 1, rangeOf(messages, at, place.upTo))
    place.upTo = undefined
    const range = messages.slice(at, end)
    const first = range[0]!.offset
    const last = range.at(-1)!.offset
    await commit(first, note(last))
    const events = range.flatMap((message) => eventOf(topic, partition, message) ?? [])
    const key = `kafka.${group}.${topic}.${partition}.${first}.${last}`
    while (events.length > 0 && (await offer(events, key)) !== undefined) {
      if (!payload.isRunning() || payload.isStale()) return
      await pause(againMs)
      await payload.heartbeat()
    }
    payload.resolveOffset(last)
    at = end
    if (at >= messages.length) await commit(String(BigInt(last) + 1n), "")
    await payload.heartbeat()
  }
}

const configOf = ({ brokers, sasl, tls = false }: KafkaOptions): KafkaConfig => ({
  clientId: "loglytics",
  brokers: [...brokers],
  ssl: tls,
  connectionTimeout: 5_000,
  ...(sasl === undefined
    ? {}
    : {
        sasl: {
          mechanism: sasl.mechanism,
          username: sasl.username,
          password: Secret.value(sasl.password)
        } as SASLOptions
      })
})

/** Reads until interrupted; fails when the group or the brokers are gone for longer than kafkajs tries again. */
export const consume = (options: KafkaOptions): Effect.Effect<never, KafkaError> =>
  Effect.gen(function* () {
    const { Kafka, logLevel } = yield* load
    const context = yield* Effect.context()
    const { group, sessionMs = 30_000, sink, topics } = options
    const offer: Offer = async (events, key) => {
      const exit = await Effect.runPromiseExitWith(context)(
        Effect.tapError(sink(events, key), (error) =>
          Effect.logWarning(`kafka: the stream does not take more: ${error.message}`)
        )
      )
      if (Exit.isFailure(exit)) return "refused"
      received.updateUnsafe(events.length, context)
      return undefined
    }
    const failure = (cause: unknown) =>
      new KafkaError({
        message: `kafka ${options.brokers.join(",")}: ${cause instanceof Error ? cause.message : String(cause)}`,
        retryable: true
      })
    const kafka = new Kafka({ ...configOf(options), logLevel: logLevel.NOTHING })
    const open = <A extends { connect: () => Promise<void>; disconnect: () => Promise<void> }>(one: A) =>
      Effect.acquireRelease(Effect.as(Effect.tryPromise({ try: () => one.connect(), catch: failure }), one), () =>
        Effect.promise(() => one.disconnect().catch(() => undefined)).pipe(Effect.timeoutOption("5 seconds"))
      )
    const admin = yield* open(kafka.admin())
    const consumer = yield* open(
      kafka.consumer({
        groupId: group,
        sessionTimeout: sessionMs,
        rebalanceTimeout: sessionMs * 2,
        heartbeatInterval: Math.min(3_000, sessionMs / 3),
        maxBytes: 8 * 1_024 * 1_024,
        maxWaitTimeInMs: 500
      })
    )
    const places = new Places(admin, group)
    consumer.on(consumer.events.GROUP_JOIN, () => places.forget())
    const crashed = Effect.callback<never, KafkaError>((resume) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        if (!payload.restart) resume(Effect.fail(failure(payload.error)))
      })
    })
    yield* Effect.tryPromise({
      try: async () => {
        await consumer.subscribe({ topics: [...topics], fromBeginning: true })
        await consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          eachBatch: (payload) => handOver(payload, group, consumer, places, offer)
        })
      },
      catch: failure
    })
    yield* Effect.logInfo(`reads ${topics.join(", ")} from Kafka as ${group}`)
    return yield* crashed
  }).pipe(Effect.scoped)
