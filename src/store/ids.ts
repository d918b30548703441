/** Fresh identifiers of what the store keeps. They only have to differ; secrets are made in ApiKeys.ts. */
import { Effect, Random } from "effect"

const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"

/** `<prefix>_` and 20 letters and digits (103 bits). */
export const freshId = (prefix: string): Effect.Effect<string> =>
  Effect.gen(function* () {
    let id = `${prefix}_`
    for (let i = 0; i < 20; i++) id += alphabet[yield* Random.nextIntBetween(0, alphabet.length, { halfOpen: true })]
    return id
  })

/** A column that may be null as ISO text. */
export const isoOrNull = (time: Date | null): string | null => time?.toISOString() ?? null
