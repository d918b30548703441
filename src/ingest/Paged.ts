/**
 * Makes a source of a cloud that answers a window of time page by page. Promises what Scan.ts promises, the cloud's own limit
 * of calls, a time limit for each call, and that no message tells a secret. What differs between clouds is in their files:
 * settings, one call, and what its errors mean.
 */
import { Clock, Effect, Redacted, Schema } from "effect"
import type { SentEvent } from "../domain/SentEvent.ts"
import { PrivateAddress } from "../outside/Addresses.ts"
import * as Pace from "./Pace.ts"
import * as Scan from "./Scan.ts"
import { type Ask, type Config, type Fault, issuesBy, scrub, type Secrets, type Source, SourceError } from "./Source.ts"

/** An event of a page, with what Scan.ts knows it by; it is made into a SentEvent only when it is new. */
export interface Item extends Scan.Stamp {
  readonly event: () => SentEvent
}

export interface Call<C> {
  readonly config: C
  readonly secrets: Readonly<Record<string, string>>
  /** Event times [from, to), ms. */
  readonly from: number
  readonly to: number
  readonly token: string | undefined
  readonly limit: number
  readonly allowPrivate: boolean
  readonly signal: AbortSignal
}

/** What an error of a cloud means. */
export interface Meaning {
  readonly fault: Fault
  readonly expected: string
  readonly got: string
  readonly retryAfterMs?: number | undefined
}

/** Thrown by a call that knows what went wrong. */
export class Refused extends Error {
  readonly meaning: Meaning
  constructor(meaning: Meaning) {
    super(meaning.got)
    this.meaning = meaning
  }
}

/** What a connection of every cloud may say. */
export const common = {
  /** How much history is fetched at first, hours. */
  history_hours: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 336 }))),
  /** How far back late events are looked for, hours; 0: not at all. */
  rescan_hours: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 336 }))),
  /** Limit of one call, ms. */
  timeout_ms: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 100, maximum: 120_000 })))
}
interface Common {
  readonly history_hours?: number
  readonly rescan_hours?: number
  readonly timeout_ms?: number
}

export interface Cloud<C extends Common> {
  readonly kind: string
  readonly config: Schema.Codec<C, unknown>
  readonly secrets: Schema.Top
  /** Names the place, without credentials; also what errors begin with. */
  readonly identity: (config: C) => string
  /** Names what the cloud counts calls for; undefined: a server with limits of its own, which it will tell. */
  readonly account: (config: C) => string | undefined
  readonly rate: Pace.Rate
  /** Events of one page at most. */
  readonly pageMax: number
  readonly rescanHours: number
  readonly page: (call: Call<C>) => Promise<Scan.Page<Item>>
  readonly meaning: (error: unknown) => Meaning | undefined
}

const hour = 3_600_000
const timeoutDefault = 30_000
const retryable: ReadonlySet<Fault> = new Set(["throttled", "token", "unreachable", "incomplete"])

const meaningOf = (error: unknown, own: (error: unknown) => Meaning | undefined): Meaning => {
  if (error instanceof Refused) return error.meaning
  const reason = error instanceof Error ? error : new Error(String(error))
  const cause = reason.cause instanceof PrivateAddress ? reason.cause : reason
  if (cause instanceof PrivateAddress) return { fault: "address", expected: "a public address", got: cause.got }
  const why = reason.cause instanceof Error && reason.cause.message !== "" ? reason.cause.message : reason.message
  return own(error) ?? { fault: "unreachable", expected: "an answer", got: why === "" ? reason.name : why }
}

export const paged = <C extends Common>(cloud: Cloud<C>): Source => {
  const decode = Schema.decodeUnknownSync(cloud.config)
  const read = (config: Config, secrets: Secrets): C | SourceError => {
    const issue = [...issuesBy(cloud.config, config), ...issuesBy(cloud.secrets, Redacted.value(secrets))][0]
    if (issue === undefined) return decode(config)
    const got = scrub(`${issue.path.join(".")}: ${issue.message}`, secrets)
    return new SourceError({ source: cloud.kind, fault: "settings", expected: "valid settings", got, retryable: false })
  }

  const call = Effect.fnUntraced(function* (
    ask: Omit<Ask, "cursor">,
    config: C,
    window: Omit<Call<C>, "config" | "secrets" | "allowPrivate" | "signal">
  ) {
    const fail = ({ expected, fault, got, retryAfterMs }: Meaning) =>
      new SourceError({
        source: scrub(cloud.identity(config), ask.secrets),
        fault,
        expected,
        got: scrub(got, ask.secrets),
        retryable: retryable.has(fault),
        ...(retryAfterMs === undefined ? {} : { retryAfterMs })
      })
    const account = cloud.account(config)
    const wait = account === undefined ? 0 : Pace.wait(account, cloud.rate, yield* Clock.currentTimeMillis)
    if (wait > 0) yield* Effect.sleep(wait)
    const timeout = config.timeout_ms ?? timeoutDefault
    const { allowPrivate } = ask.limits
    return yield* Effect.tryPromise({
      try: (signal) => cloud.page({ ...window, config, secrets: Redacted.value(ask.secrets), allowPrivate, signal }),
      catch: (error) => fail(meaningOf(error, cloud.meaning))
    }).pipe(
      Effect.timeoutOrElse({
        duration: timeout,
        orElse: () =>
          Effect.fail(fail({ fault: "unreachable", expected: `an answer within ${timeout} ms`, got: "none" }))
      })
    )
  })

  const check: Source["check"] = Effect.fnUntraced(function* (ask) {
    const config = read(ask.config, ask.secrets)
    if (config instanceof SourceError) return yield* config
    yield* call(ask, config, { from: ask.now - 60_000, to: ask.now, token: undefined, limit: 1 })
  })

  const poll: Source["poll"] = Effect.fnUntraced(function* (ask) {
    const config = read(ask.config, ask.secrets)
    if (config instanceof SourceError) return yield* config
    const options: Scan.Options = {
      historyMs: (config.history_hours ?? 24) * hour,
      rescanMs: (config.rescan_hours ?? cloud.rescanHours) * hour
    }
    const known = ask.cursor === null ? undefined : Scan.decode(ask.cursor)
    const { repeated, state, window } = Scan.next(known ?? Scan.begin(ask.now, options), ask.now, options)
    const limit = Math.max(1, Math.min(cloud.pageMax, ask.limits.events))
    const page = yield* call(ask, config, { from: window.from, to: window.to, token: window.token, limit }).pipe(
      Effect.catchIf(
        ({ fault }) => fault === "token",
        (error) => {
          const anew = Scan.tokenLost(state, repeated)
          return anew === undefined ? Effect.fail(error) : Effect.succeed(anew)
        }
      )
    )
    if (!("items" in page)) {
      return { events: [], cursor: Scan.encode(page), more: true, lagMs: Math.max(0, ask.now - page.until) }
    }
    const { fresh, lagMs, more, state: after } = Scan.took(state, repeated, page, ask.now, options)
    return { events: fresh.map(({ event, id }) => ({ id, event: event() })), cursor: Scan.encode(after), more, lagMs }
  })

  return {
    kind: cloud.kind,
    validate: (config, secrets) => [
      ...issuesBy(cloud.config, config).map((issue) => ({ ...issue, path: ["config", ...issue.path] })),
      ...issuesBy(cloud.secrets, Redacted.value(secrets)).map((issue) => ({
        ...issue,
        path: ["secrets", ...issue.path]
      }))
    ],
    identity: (config) =>
      issuesBy(cloud.config, config).length === 0 ? cloud.identity(decode(config)) : JSON.stringify(config),
    check,
    poll
  }
}
