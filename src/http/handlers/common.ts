/** How errors of the rooms below become answers, in one place. */
import { Effect } from "effect"
import type { EnqueueError, PayloadInvalid, PayloadTooLarge } from "../../jobs/Engine.ts"
import { Invalid, invalid, NotFound, TooBusy, Unavailable } from "../Errors.ts"

/** Redis or Postgres did not do it: 503. */
export const unavailable = (error: { readonly message: string }): Unavailable =>
  new Unavailable({ message: error.message })

/** 503 for whatever an effect fails with. */
export const orUnavailable = <A, E extends { readonly message: string }, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, Unavailable, R> => Effect.mapError(effect, unavailable)

/** A time of a request: ISO 8601 or epoch ms. `path` names the field, for the fault. */
export const instant = (path: string, text: string | undefined): Effect.Effect<number | undefined, Invalid> => {
  if (text === undefined) return Effect.succeed(undefined)
  const ms = /^\d{1,15}$/u.test(text) ? Number(text) : Date.parse(text)
  return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15
    ? Effect.succeed(ms)
    : Effect.fail(invalid(path, `expected ISO 8601 or epoch ms, got ${JSON.stringify(text)}`))
}

/** What is undefined is 404. */
export const orNotFound = <A>(value: A | undefined, what: string): Effect.Effect<A, NotFound> =>
  value === undefined
    ? Effect.fail(new NotFound({ message: `expected ${what} that exists, got none` }))
    : Effect.succeed(value)

/** What is wrong with a job's payload, as an answer. */
export const fromPayload = (error: PayloadInvalid | PayloadTooLarge): Invalid =>
  error._tag === "PayloadTooLarge"
    ? invalid("payload", error.message)
    : new Invalid({
        message: error.message,
        issues: error.issues.map(({ message, path }) => ({
          path: path === "" ? "payload" : `payload.${path}`,
          message
        }))
      })

/** Why a job was not taken, as an answer. */
export const fromEnqueue = (error: EnqueueError): Invalid | NotFound | TooBusy | Unavailable => {
  switch (error._tag) {
    case "QueueFull":
      return new TooBusy({ message: error.message, retryAfterMs: error.retryAfterMs })
    case "PayloadInvalid":
    case "PayloadTooLarge":
      return fromPayload(error)
    case "UnknownTask":
      return new NotFound({ message: `${error.message}: GET /v1/tasks lists them` })
    case "EngineUnavailable":
      return unavailable(error)
  }
}
