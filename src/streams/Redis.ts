/**
 * The one way to Redis. Promises a shared client for commands that return at once and dedicated clients for readers that
 * block (BLOCK on a shared connection would stall everyone). Every failure is a `RedisError` that names the operation.
 */
import { Context, Data, Effect, Layer, Redacted, type Scope } from "effect"
import { type Client, connect, type Ear, faultOf, listen, tlsOf, type Use } from "./Connect.ts"
import { readRedisUrl } from "./RedisUrl.ts"

export type { Client } from "./Connect.ts"

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
  if (isUnreachable(cause)) return "the server can't be reached (is REDIS_URL right?)"
  const key = cause.message.startsWith("WRONGTYPE") ? keyOf(cause) : undefined
  return key === undefined
    ? cause.message
    : `WRONGTYPE the key ${JSON.stringify(key)} is of another type than expected: does another program write there?`
}
/** The key that a refused command was about, as ioredis tells it; scripts don't tell. */
const keyOf = (cause: Error): string | undefined => {
  const command = "command" in cause ? (cause.command as { readonly name?: string; readonly args?: unknown }) : {}
  const first = Array.isArray(command.args) ? (command.args as ReadonlyArray<unknown>)[0] : undefined
  return typeof first === "string" && !command.name?.startsWith("eval") ? first : undefined
}
const isUnreachable = (cause: Error): boolean =>
  cause.name === "MaxRetriesPerRequestError" || cause.name === "ClusterAllFailedError"

/** A command that found no connection fails for the reason that there is none. */
const explained = (client: Client, cause: unknown): unknown => {
  if (!(cause instanceof Error) || !(isUnreachable(cause) || cause.message === "Command timed out")) return cause
  const fault = faultOf(client)
  if (fault === undefined) return cause
  const refused = /^(NOAUTH|WRONGPASS|NOPERM)/u.test(fault)
  return new Error(refused ? fault : `the server can't be reached (is REDIS_URL right?): ${fault}`, { cause })
}

export interface RedisConfig {
  /** One server, a Cluster or sentinels, as `RedisUrl` tells; a URL that it refuses ends the building of the layer. */
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
    /** Listens to a channel, on a connection of its own, until the scope closes. */
    readonly subscribe: (name: string, channel: string, ear: Ear) => Effect.Effect<void, never, Scope.Scope>
  }
>()("loglytics/streams/Redis") {
  static readonly layer = (config: RedisConfig) => Layer.effect(Redis, make(config))
}

/** Commands that `send` gives within this call leave in one write (a write costs as much as several jobs), where the client has one connection. */
export const together = <A>(client: Client, send: () => A): A => {
  const socket = "stream" in client ? client.stream : undefined
  socket?.cork()
  try {
    return send()
  } finally {
    socket?.uncork()
  }
}

/** Wraps a promise of one command. */
export const attempt = <A>(op: string, run: () => Promise<A>): Effect.Effect<A, RedisError> =>
  Effect.tryPromise({ try: run, catch: (cause) => new RedisError({ op, cause }) })

const make = Effect.fnUntraced(function* (config: RedisConfig) {
  const found = readRedisUrl(Redacted.value(config.url))
  if (!found.ok) return yield* Effect.die(new Error(`REDIS_URL: expected ${found.expected}, got ${found.got}`))
  const { url } = found
  const tls = tlsOf(url)
  const open = (name: string, use: Use) =>
    Effect.acquireRelease(
      Effect.sync(() => connect(url, tls, { name: `${config.namespace}:${name}`, use })),
      (client) => Effect.sync(() => client.disconnect())
    )
  const client = yield* open("shared", "shared")
  return Redis.of({
    namespace: config.namespace,
    client,
    use: (op, f) =>
      Effect.tryPromise({
        try: () => f(client),
        catch: (cause) => new RedisError({ op, cause: explained(client, cause) })
      }),
    dedicated: (name) => open(name, "dedicated"),
    subscribe: (name, channel, ear) =>
      Effect.asVoid(
        Effect.acquireRelease(
          Effect.sync(() => listen(url, tls, client, `${config.namespace}:${name}`, channel, ear)),
          (stop) => Effect.sync(stop)
        )
      )
  })
})
