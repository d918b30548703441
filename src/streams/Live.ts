/**
 * What many gateways share: capped streams of things people watch (`tail`, `alerts`, `notifications`), one entry per
 * publication. The entry id is the sequence number clients resume from. Capped by design: a client that falls behind is
 * told to start anew, nothing durable lives here. Job events have their own stream (Events).
 */
import { Context, Effect, Layer } from "effect"
import { attempt, Redis, type RedisError } from "./Redis.ts"

export const topics = ["tail", "alerts", "notifications", "metrics"] as const
export type Topic = (typeof topics)[number]

/** Entries kept per topic; a tail entry holds up to a batch of lines, the others one thing each. */
const kept: Readonly<Record<Topic, number>> = { tail: 200, alerts: 5_000, notifications: 5_000, metrics: 500 }
/** How long a gateway's word that somebody watches a project's tail counts, ms: who comes back sooner has missed nothing. */
const watchMs = 60_000
/** Publications handed out by one `since`. */
const sinceMax = 1_000
/** Publications of a topic that a follower reads at once. */
const followMax = 100

export interface Publication {
  readonly topic: Topic
  /** Position to resume after. */
  readonly seq: string
  readonly project: string
  readonly data: ReadonlyArray<unknown>
  /** Others that belong before it may never have been published. */
  readonly gap: boolean
}

export class Live extends Context.Service<
  Live,
  {
    readonly publish: (topic: Topic, project: string, data: ReadonlyArray<unknown>) => Effect.Effect<void, RedisError>
    /** Lines of this project may not have been published: the next publication to its tail says so. */
    readonly missed: (project: string) => void
    /**
     * Says that somebody watches the tail of this project for the next minute. Answers the position at which the watch
     * began: from there on every line was published. Another answer than before means that the watch had lapsed.
     */
    readonly watchTail: (project: string) => Effect.Effect<string, RedisError>
    /** The position at which the watch of a project's tail began; undefined when nobody watches. */
    readonly watchedSince: (project: string) => Effect.Effect<string | undefined, RedisError>
    /** Which of these projects somebody tails right now. */
    readonly tailed: (projects: ReadonlyArray<string>) => Effect.Effect<ReadonlySet<string>, RedisError>
    /** The newest position of a topic. */
    readonly last: (topic: Topic) => Effect.Effect<string, RedisError>
    /** What a project's topic had after `seq`; `complete` is false when the stream no longer reaches back that far. */
    readonly since: (
      topic: Topic,
      project: string,
      seq: string
    ) => Effect.Effect<{ readonly complete: boolean; readonly publications: ReadonlyArray<Publication> }, RedisError>
    /**
     * Hands every new publication of every topic and project to `f`, in order, until interrupted. The effect remembers how
     * far it came: run again after a failure it goes on from there, so nothing in between is missed. Where it was too slow and
     * publications of a topic are no longer kept, `lost` hears of it first.
     */
    readonly follow: (
      f: (publication: Publication) => void,
      lost?: (topic: Topic) => void
    ) => Effect.Effect<never, RedisError>
  }
>()("loglytics/streams/Live") {
  static readonly layer = Layer.effect(
    this,
    Effect.suspend(() => make)
  )
}

const seqOrder = (id: string): readonly [number, number] => {
  const [ms, n] = id.split("-")
  return [Number(ms), Number(n ?? 0)]
}
/** Whether position `a` stands before position `b`. */
export const before = (a: string, b: string): boolean => {
  const [am, an] = seqOrder(a)
  const [bm, bn] = seqOrder(b)
  return am < bm || (am === bm && an < bn)
}

const make = Effect.gen(function* () {
  const redis = yield* Redis
  const key = (topic: Topic) => `${redis.namespace}:{live}:${topic}`
  const watchKey = (project: string) => `${redis.namespace}:{live}:watch:${project}`

  /** Undefined for an entry that is not ours: it must not end a follower that everybody shares. */
  const publication = (topic: Topic, [seq, fields]: [string, Array<string>]): Publication | undefined => {
    try {
      const data: unknown = JSON.parse(fields[3] ?? "[]")
      return Array.isArray(data) ? { topic, seq, project: fields[1] ?? "", data, gap: fields[4] === "gap" } : undefined
    } catch {
      return undefined
    }
  }

  const last = (topic: Topic) =>
    Effect.map(
      redis.use("live last", (client) => client.xrevrange(key(topic), "+", "-", "COUNT", 1)),
      (entries) => entries[0]?.[0] ?? "0-0"
    )

  /** Whether nothing that came after `seq` was cut off a stream that begins with `first` and is so long. */
  const reaches = (topic: Topic, seq: string, first: string | undefined, length: number): boolean => {
    // A stream that is shorter than it may be was never cut, unless it is gone altogether.
    if (first === undefined) return seq === "0-0"
    return !before(seq, first) || (seq === "0-0" && length < kept[topic])
  }
  /** Projects whose tail must be told that lines may be missing. */
  const owed = new Set<string>()
  const publish = (topic: Topic, project: string, data: ReadonlyArray<unknown>) =>
    Effect.suspend(() => {
      const gap = topic === "tail" && owed.has(project) ? ["gap", "1"] : []
      return redis
        .use("live publish", (client) =>
          client.xadd(
            key(topic),
            "MAXLEN",
            "~",
            kept[topic],
            "*",
            "project",
            project,
            "data",
            JSON.stringify(data),
            ...gap
          )
        )
        .pipe(Effect.andThen(Effect.sync(() => void (gap.length > 0 && owed.delete(project)))))
    })

  return Live.of({
    last,
    publish,
    missed: (project) => void owed.add(project),
    watchTail: (project) =>
      redis.use("live watch", async (client) => {
        const [newest] = await client.xrevrange(key("tail"), "+", "-", "COUNT", 1)
        const from = newest?.[0] ?? "0-0"
        if ((await client.set(watchKey(project), from, "PX", watchMs, "NX")) !== null) return from
        await client.pexpire(watchKey(project), watchMs)
        return (await client.get(watchKey(project))) ?? from
      }),
    watchedSince: (project) =>
      Effect.map(
        redis.use("live watched since", (client) => client.get(watchKey(project))),
        (value) => value ?? undefined
      ),
    tailed: (projects) =>
      projects.length === 0
        ? Effect.succeed(new Set())
        : Effect.map(
            redis.use("live watched", (client) => client.mget(projects.map(watchKey))),
            (values) => {
              // Whoever comes to a tail that nobody watches gets a snapshot.
              for (const [i, project] of projects.entries()) if (values[i] === null) owed.delete(project)
              return new Set(projects.filter((_, i) => values[i] !== null))
            }
          ),
    since: (topic, project, seq) =>
      Effect.map(
        redis.use("live since", (client) =>
          Promise.all([
            client.xrange(key(topic), "-", "+", "COUNT", 1),
            client.xrange(key(topic), `(${seq}`, "+", "COUNT", sinceMax),
            client.xlen(key(topic))
          ])
        ),
        ([first, entries, length]) => ({
          complete: entries.length < sinceMax && reaches(topic, seq, first[0]?.[0], length),
          publications: entries.flatMap((entry) => {
            const found = publication(topic, entry)
            return found?.project === project ? [found] : []
          })
        })
      ),
    follow: (f, lost = () => {}) => {
      // Outside of the effect: a run that follows a failed one goes on from these.
      const positions = new Map<Topic, string>()
      /** Whether something after this position was cut off before it could be read. */
      const isCut = (topic: Topic, position: string) =>
        redis.use("live first", async (client) => {
          const [[first], length] = await Promise.all([
            client.xrange(key(topic), "-", "+", "COUNT", 1),
            client.xlen(key(topic))
          ])
          return !reaches(topic, position, first?.[0], length)
        })
      return Effect.scoped(
        Effect.gen(function* () {
          const reader = yield* redis.dedicated("live")
          for (const topic of topics) if (!positions.has(topic)) positions.set(topic, yield* last(topic))
          const turn = Effect.gen(function* () {
            const reply = yield* attempt("live follow", () =>
              reader.xread(
                "COUNT",
                followMax,
                "BLOCK",
                5_000,
                "STREAMS",
                ...topics.map(key),
                ...topics.map((topic) => positions.get(topic) ?? "$")
              )
            )
            for (const [name, entries] of reply ?? []) {
              const topic = topics.find((t) => key(t) === name)
              const position = topic === undefined ? undefined : positions.get(topic)
              if (topic === undefined || position === undefined) continue
              // Who has read all there was can't be further behind than what is kept.
              if (entries.length === followMax && (yield* isCut(topic, position))) lost(topic)
              for (const entry of entries) {
                positions.set(topic, entry[0])
                const found = publication(topic, entry)
                if (found !== undefined) f(found)
              }
            }
          })
          return yield* Effect.forever(turn)
        })
      )
    }
  })
})
