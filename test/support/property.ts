/**
 * Properties with a seed of the suite's own: a run of the tests tries the same cases as the last one. Other cases are tried with
 * `LOGLYTICS_TEST_SEED=random npm test -- test/analytics`, one known seed with `LOGLYTICS_TEST_SEED=-835910601`.
 */
import { it } from "@effect/vitest"
import * as fc from "fast-check"

const wanted = process.env["LOGLYTICS_TEST_SEED"] ?? "20261"
const seed = wanted === "random" ? undefined : Number(wanted)
if (seed !== undefined) {
  if (!Number.isSafeInteger(seed))
    throw new Error(`LOGLYTICS_TEST_SEED: expected an integer or "random", got "${wanted}"`)
  fc.configureGlobal({ seed })
}

/** As `it.prop`, with that seed. */
export const prop: typeof it.prop = (name, arbitraries, holds) =>
  it.prop(name, arbitraries, holds, { arbitrary: { seed } })

export { fc }
