/**
 * What tests of the engine share: layers on a namespace of their own, and waiting for a condition instead of sleeping.
 */
import { Effect, Layer, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import { afterAll } from "vitest"
import type { Limits } from "../../src/streams/Limits.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { StreamsLive } from "../../src/streams/Streams.ts"
import { removeKeys } from "./clean.ts"

export const redisUrl = process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379"

/** A key prefix for one test file; what was written under it is removed at the end. */
export const freshNamespace = (what: string): string => {
  const namespace = `t-${what}-${randomBytes(4).toString("hex")}`
  afterAll(() => removeKeys(redisUrl, `${namespace}*`))
  return namespace
}

export const redisLayer = (namespace: string) => Redis.layer({ url: Redacted.make(redisUrl), namespace })

/** The client side of the engine, and Redis itself. */
export const clientLayer = (namespace: string, limits?: Partial<Limits>) =>
  StreamsLive(limits).pipe(Layer.provideMerge(redisLayer(namespace)))

/** Looks again every few ms until `check` gives something; dies with `what` after `ms`. */
export const eventually = <A, E, R>(
  what: string,
  check: Effect.Effect<A | undefined | false, E, R>,
  ms = 10_000
): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const until = Date.now() + ms
    while (true) {
      const found = yield* check
      if (found !== undefined && found !== false) return found
      if (Date.now() > until) return yield* Effect.die(new Error(`waited ${ms} ms in vain: ${what}`))
      yield* Effect.sleep(5)
    }
  })
