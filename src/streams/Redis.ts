/**
 * The one way to Redis. Promises a shared client for commands that return at once and dedicated clients for readers that
 * block (BLOCK on a shared connection would stall everyone). Every failure is a `RedisError` that names the operation.
 */
import { Context, Data, Effect, Layer, Redacted, type Scope } from "effect"
import { Redis as IORedis, type RedisOptions } from "ioredis"

/** Redis refused, could not be reached, or answered with an error. `retryable` is false only for errors in our own request. */
export class RedisError extends Data.TaggedError("RedisError")<{
  readonly op: string
  readonly cause: unknown
}> {
  get retryable(): boolean {
    return !/^(ERR|WRONGTYPE|NOSCRIPT|CROSSSLOT|NOAUTH|WRONGPASS|NOPERM)/u.test(reason(this.cause))
  }
  override get message(): string {
    return `Redis ${this.op} failed: ${reason(this.cause)}`
  }
}
const reason = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause)
  // What ioredis says after its retries tells of its options instead of the server.
  return cause.name === "MaxRetriesPerRequestError"
    ? "the server can't be reached (is REDIS_URL right?)"
    : cause.message
}

/** The raw client type, for modules of `streams/` that speak commands. */
export type Client = IORedis
type Options = Omit<RedisOptions, "replyMapping">

export interface RedisConfig {
  /** `redis://` or `rediss://` URL; its user, password, database and TLS are honoured. */
  readonly url: Redacted.Redacted
  /** First part of every key, for example `lg`. */
  readonly namespace: string
}

export class Redis extends Context.Service<
  Redis,
  {
    /** First part of every key. */
    readonly namespace: string
    /** The shared client. Never block on it. */
    readonly client: Client
    /** Runs one command (or pipeline) on the shared client. */
    readonly use: <A>(op: string, f: (client: Client) => Promise<A>) => Effect.Effect<A, RedisError>
    /** A client of one's own for blocking reads; closed with the scope. */
    readonly dedicated: (name: string) => Effect.Effect<Client, never, Scope.Scope>
  }
>()("loglytics/streams/Redis") {
  static readonly layer = (config: RedisConfig) => Layer.effect(Redis, make(config))
}

/** Wraps a promise of one command. */
export const attempt = <A>(op: string, run: () => Promise<A>): Effect.Effect<A, RedisError> =>
  Effect.tryPromise({ try: run, catch: (cause) => new RedisError({ op, cause }) })

/** Longest pause between two tries to reach the server, ms: a caller learns within about three of them that it is gone. */
const reconnectMaxMs = 500

/**
 * A command of the shared client without an answer after this long has failed, ms. The driver itself holds what was on the
 * wire when a connection broke until there is a new one, however long that takes; callers must not wait that long.
 */
const answerMaxMs = 10_000

const open = (config: RedisConfig, name: string, options: Options) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const client = new IORedis(Redacted.value(config.url), {
        connectionName: `${config.namespace}:${name}`,
        enableReadyCheck: true,
        retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 6), reconnectMaxMs),
        ...options
      })
      // Errors reach callers through their own commands; without a listener ioredis would print them.
      client.on("error", () => {})
      return client
    }),
    (client) => Effect.sync(() => client.disconnect())
  )

const make = Effect.fnUntraced(function* (config: RedisConfig) {
  const client = yield* open(config, "shared", {
    maxRetriesPerRequest: 2,
    enableAutoPipelining: false,
    commandTimeout: answerMaxMs
  })
  return Redis.of({
    namespace: config.namespace,
    client,
    use: (op, f) => attempt(op, () => f(client)),
    dedicated: (name) => open(config, name, { maxRetriesPerRequest: null })
  })
})
