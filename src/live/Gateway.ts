/**
 * The WebSocket `/live`: signs clients in, answers their subscriptions with a snapshot (or with what they missed) and then
 * with events. One follower per process reads what all processes publish through Redis; gateways never talk to each other.
 */
import { Clock, Context, Effect, FiberSet, Layer, Result, Schedule, Stream } from "effect"
import type { IncomingMessage } from "node:http"
import type { WebSocket } from "ws"
import type { ApiKey } from "../domain/Project.ts"
import type { ProjectId } from "../domain/Ids.ts"
import { asLogEvent, type StoredEvent } from "../domain/LogEvent.ts"
import * as Query from "../domain/Query.ts"
import { Engine } from "../jobs/Engine.ts"
import { Alerts } from "../store/Alerts.ts"
import { ApiKeys } from "../store/ApiKeys.ts"
import { Logs } from "../store/Logs.ts"
import { Notifications } from "../store/Notifications.ts"
import { Projects } from "../store/Projects.ts"
import { Events } from "../streams/Events.ts"
import { Inspect } from "../streams/Inspect.ts"
import { before, Live, type Publication } from "../streams/Live.ts"
import { UpdateLiveAnalytics } from "../tasks/live/update_live_analytics.ts"
import { decode, type ErrorCode, type ServerMessage, type Subscribe, type Topic, topics } from "./Protocol.ts"
import { bufferedMax, Rooms, write } from "./Rooms.ts"
import { jobRow } from "./Rows.ts"

/** How long a client may take to sign in. */
const signInMs = 5_000
/** A client that does not answer one ping by the next is gone. */
const pingMs = 30_000
/** Subscriptions that are kept while a client is signing in. */
const earlyMax = 16
/** A client that says more than this is cut off. */
const messagesPerSecond = 50
/** Subscriptions of one client that may be under way at the same time. */
const busyMax = 16
/** How often the figures of a project that somebody watches are made, by all gateways together, ms. */
const figuresMs = 5_000
/** Items of a snapshot, by topic. */
const snapshotSize = { tail: 200, notifications: 50, jobs: 50, alerts: 200 } as const

/** Why a subscription was refused. */
class Refused extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
const refuse = (code: ErrorCode, message: string) => Effect.fail(new Refused(code, message))
const unavailable = (error: { readonly message: string }) => new Refused("unavailable", error.message)

export class Gateway extends Context.Service<
  Gateway,
  {
    /** Serves one connection until it closes. */
    readonly accept: (socket: WebSocket, request: IncomingMessage) => void
  }
>()("loglytics/live/Gateway") {
  static readonly layer = Layer.effect(
    Gateway,
    Effect.suspend(() => make)
  )
}

const forever = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")]).pipe(Schedule.jittered)

const make = Effect.gen(function* () {
  const live = yield* Live
  const events = yield* Events
  const inspect = yield* Inspect
  const logs = yield* Logs
  const alerts = yield* Alerts
  const notifications = yield* Notifications
  const keys = yield* ApiKeys
  const projects = yield* Projects
  const engine = yield* Engine
  const rooms = new Rooms()
  const run = yield* FiberSet.makeRuntime()

  const follow = live.follow(
    (p) => rooms.dispatch(p),
    (topic) => rooms.gap(topic)
  )
  const followJobs = Stream.runForEach(events.tail(), ({ rows, seq }) =>
    Effect.sync(() => rooms.dispatch({ topic: "jobs", seq, project: undefined, data: rows.map(jobRow) }))
  )
  /** Project → where the watch of its tail began, for those that are tailed here. */
  const watched = new Map<string, string>()
  /** Goes on watching a project's tail; those who listen already are told where the watch had lapsed. */
  const watchTail = (project: string) =>
    Effect.map(live.watchTail(project), (began) => {
      const earlier = watched.get(project)
      watched.set(project, began)
      if (earlier !== undefined && earlier !== began) rooms.gap("tail", project)
    })
  const watch = Effect.suspend(() => {
    const tailed = rooms.tailed()
    for (const project of watched.keys()) if (!tailed.has(project)) watched.delete(project)
    return Effect.forEach(tailed, watchTail, { discard: true })
  }).pipe(Effect.ignore, Effect.andThen(Effect.sync(() => rooms.settle())), Effect.repeat(Schedule.spaced("3 seconds")))
  /** Asks for new figures of the projects whose figures are watched; the slot in the id makes it once for all gateways. */
  const refresh = Effect.suspend(() =>
    Effect.forEach(rooms.watched("metrics"), (project) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        engine.enqueue(UpdateLiveAnalytics.job({ projectId: project as ProjectId }), {
          id: `metrics.${project}.${Math.floor(now / figuresMs)}`,
          expires: `${figuresMs * 2} millis`
        })
      )
    )
  ).pipe(Effect.ignore, Effect.repeat(Schedule.spaced(figuresMs)))
  const supervised = <E>(effect: Effect.Effect<unknown, E>) =>
    effect.pipe(
      Effect.tapCause((cause) => Effect.logWarning("live follower starts anew", cause)),
      Effect.sandbox,
      Effect.retry(forever),
      Effect.forkScoped
    )
  yield* supervised(follow)
  yield* supervised(followJobs)
  yield* Effect.forkScoped(watch)
  yield* Effect.forkScoped(refresh)

  /** The project a subscription is about, if this key may hear of it. */
  const projectOf = Effect.fnUntraced(function* (key: ApiKey, message: Subscribe) {
    if (message.topic === "jobs") {
      return key.role === "admin"
        ? undefined
        : yield* refuse("forbidden", "jobs: expected an admin key, got a project key")
    }
    if (key.role === "project" && key.project !== null) {
      return message.project === undefined || message.project === key.project
        ? key.project
        : yield* refuse("forbidden", `this key is for project "${key.project}", got "${message.project}"`)
    }
    const wanted = (message.project ?? "default") as ProjectId
    const known = yield* Effect.mapError(projects.get(wanted), unavailable)
    return known === undefined
      ? yield* refuse("not_found", `expected a project that exists, got "${wanted}"`)
      : known.id
  })

  /** State of a topic now, newest last. */
  const snapshot = (
    topic: Topic,
    project: ProjectId | undefined,
    query: Query.Query
  ): Effect.Effect<ReadonlyArray<unknown>, { readonly message: string }> => {
    if (topic === "jobs" || project === undefined) {
      return Effect.map(inspect.recent({ limit: snapshotSize.jobs }), (rows) => rows.map(jobRow).toReversed())
    }
    switch (topic) {
      case "tail":
        return query._tag === "All"
          ? logs.recent(project, snapshotSize.tail)
          : Effect.map(logs.search({ project, query, limit: snapshotSize.tail }), (page) => page.events.toReversed())
      case "alerts":
        return Effect.map(alerts.list({ project, limit: snapshotSize.alerts }), (list) =>
          list.filter(({ state }) => state === "firing" || state === "pending").toReversed()
        )
      case "metrics":
        // The figures that were made last, if any were: the next ones come within seconds.
        return Effect.map(live.since("metrics", project, "0-0"), ({ publications }) => publications.at(-1)?.data ?? [])
      case "notifications":
        return Effect.map(notifications.list(project, snapshotSize.notifications), (list) => list.toReversed())
    }
  }

  /** Where a snapshot taken now stands. Job rows carry their job's id, so one that comes twice does no harm. */
  const position = (topic: Topic) => (topic === "jobs" ? Effect.succeed("0-0") : live.last(topic))

  /** Whether all that came after `after` was published: lines are, only while somebody watches. */
  const isWhole = (topic: Topic, project: ProjectId | undefined, after: string) =>
    topic !== "tail" || project === undefined
      ? Effect.succeed(true)
      : Effect.map(live.watchedSince(project), (began) => began !== undefined && !before(after, began))

  const subscribe = Effect.fnUntraced(function* (socket: WebSocket, key: ApiKey, message: Subscribe) {
    const parsed = Query.parse(message.query ?? "")
    if (!parsed.ok) {
      return yield* refuse("invalid", `query at ${parsed.position}: expected ${parsed.expected}, got ${parsed.got}`)
    }
    const { topic } = message
    const project = yield* projectOf(key, message)
    const matches = Query.compile(parsed.query)
    /** Lines of the snapshot: one that is stored but not yet published when it is taken comes by both ways. */
    let known: ReadonlySet<string> = new Set()
    const isNew = (event: StoredEvent): boolean => !known.has(event.id) && matches(asLogEvent(event))
    const accepts = topic === "tail" ? (item: unknown) => isNew(item as StoredEvent) : () => true
    rooms.join(socket, { topic, project, accepts })
    const { after } = message
    const whole = after !== undefined && (yield* Effect.mapError(isWhole(topic, project, after), unavailable))
    if (topic === "tail" && project !== undefined) yield* Effect.ignore(watchTail(project))
    const seq = yield* Effect.mapError(position(topic), unavailable)
    if (after !== undefined && whole && topic !== "jobs" && project !== undefined) {
      const missed = yield* Effect.mapError(live.since(topic, project, after), unavailable)
      if (missed.complete) {
        const replay = missed.publications.flatMap((p) => messagesOf(p, accepts))
        return rooms.begin(socket, topic, replay, missed.publications.at(-1)?.seq ?? after)
      }
    }
    const data = yield* Effect.mapError(snapshot(topic, project, parsed.query), unavailable)
    if (topic === "tail") known = new Set((data as ReadonlyArray<StoredEvent>).map(({ id }) => id))
    const gap: ReadonlyArray<ServerMessage> =
      after === undefined || topic === "jobs" ? [] : [{ type: "gap", topic, after }]
    rooms.begin(socket, topic, [...gap, { type: "snapshot", topic, seq, data }], seq)
  })

  const fail = (socket: WebSocket, error: Refused, topic?: Topic): void =>
    write(socket, {
      type: "error",
      code: error.code,
      message: error.message,
      ...(topic === undefined ? {} : { topic })
    })

  const signIn = Effect.fnUntraced(function* (secret: string) {
    const key = yield* Effect.mapError(keys.verify(secret), unavailable)
    return key ?? (yield* refuse("unauthorized", "expected a valid API key, got one that is unknown or expired"))
  })

  const accept = (socket: WebSocket, request: IncomingMessage): void => {
    let key: ApiKey | undefined
    let alive = true
    const timer = setTimeout(() => key ?? socket.close(4401, "expected a message of type auth within 5 s"), signInMs)
    const pinger = setInterval(() => {
      if (!alive) return socket.terminate()
      alive = false
      socket.ping()
    }, pingMs)
    socket.on("pong", () => (alive = true))
    socket.on("error", () => socket.terminate())
    socket.on("close", () => {
      clearTimeout(timer)
      clearInterval(pinger)
      rooms.leave(socket)
    })
    /** Messages since the last full second, and what is being done for this client. */
    let second = 0
    let count = 0
    let busy = 0
    const tooMuch = (): boolean => {
      const now = Math.floor(performance.now() / 1_000)
      count = now === second ? count + 1 : 1
      second = now
      return count > messagesPerSecond || busy >= busyMax
    }
    const guarded = <A>(effect: Effect.Effect<A, Refused>, topic?: Topic) => {
      busy++
      return run(
        Effect.asVoid(effect).pipe(
          Effect.catchCause((cause) =>
            Effect.sync(() => fail(socket, cause.reasons.map(refusal).find((r) => r !== undefined) ?? internal, topic))
          ),
          Effect.ensuring(Effect.sync(() => busy--))
        )
      )
    }
    /** What was said while signing in; undefined when nobody is signing in. */
    let early: Array<Subscribe> | undefined
    const enter = (secret: string, wanted: ReadonlyArray<Subscribe>) =>
      Effect.gen(function* () {
        early = []
        key = yield* signIn(secret)
        clearTimeout(timer)
        write(socket, { type: "ready", projects: key.role === "admin" ? "*" : [String(key.project)] })
        for (const message of [...wanted, ...early]) guarded(subscribe(socket, key, message), message.topic)
      }).pipe(
        Effect.catch((error) =>
          Effect.sync(() => {
            fail(socket, error)
            socket.close(error.code === "unauthorized" ? 4401 : 1013, error.code)
          })
        ),
        Effect.ensuring(Effect.sync(() => (early = undefined)))
      )
    const wanted = subscriptionsOf(request)
    const bearer = /^Bearer\s+(\S+)$/iu.exec(request.headers.authorization ?? "")?.[1]
    if (bearer !== undefined) guarded(enter(bearer, wanted))
    socket.on("message", (raw, binary) => {
      if (tooMuch()) return socket.close(1008, `expected at most ${messagesPerSecond} messages per second`)
      const decoded = decode(binary ? "" : (raw as Buffer).toString())
      if (Result.isFailure(decoded)) {
        return fail(
          socket,
          new Refused("invalid", `expected a message of the /live protocol: ${decoded.failure.message}`)
        )
      }
      const message = decoded.success
      if (socket.bufferedAmount > bufferedMax)
        return socket.close(1008, "expected a client that reads what it asks for")
      if (message.type === "ping") return write(socket, { type: "pong" })
      if (message.type === "auth") return void guarded(enter(message.key, wanted))
      if (message.type === "unsubscribe") return rooms.leave(socket, message.topic)
      if (early !== undefined && early.length < earlyMax) return void early.push(message)
      if (key === undefined) return fail(socket, new Refused("unauthorized", "expected a message of type auth first"))
      guarded(subscribe(socket, key, message), message.topic)
    })
  }

  return Gateway.of({ accept })
})

const internal = new Refused("unavailable", "an unexpected error; the server's log says which")
const refusal = (reason: { readonly _tag: string; readonly error?: unknown }): Refused | undefined =>
  reason._tag === "Fail" && reason.error instanceof Refused ? reason.error : undefined

const messagesOf = (p: Publication, accepts: (item: unknown) => boolean): ReadonlyArray<ServerMessage> => {
  const data = p.data.filter(accepts)
  return [
    ...(p.gap ? [{ type: "gap" as const, topic: p.topic }] : []),
    ...(data.length > 0 ? [{ type: "event" as const, topic: p.topic, seq: p.seq, data }] : [])
  ]
}

/** `/live?topics=alerts,tail&project=default&query=…` subscribes at once. */
const subscriptionsOf = (request: IncomingMessage): ReadonlyArray<Subscribe> => {
  const params = new URL(request.url ?? "/", "http://localhost").searchParams
  const project = params.get("project")
  const query = params.get("query")
  const named = (params.get("topics") ?? "").split(",")
  return topics
    .filter((topic) => named.includes(topic))
    .map((topic) => ({
      type: "subscribe" as const,
      topic,
      ...(project === null ? {} : { project }),
      ...(query === null || topic !== "tail" ? {} : { query })
    }))
}
