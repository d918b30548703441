/**
 * fast-check with a seed of the suite's own: a run of the tests tries the same cases as the last one. Other cases are tried with
 * `LOGLYTICS_TEST_SEED=random npm test -- test/analytics`, one known seed with `LOGLYTICS_TEST_SEED=-835910601`.
 */
import * as fc from "fast-check"

const wanted = process.env["LOGLYTICS_TEST_SEED"] ?? "20261"
if (wanted !== "random") {
  const seed = Number(wanted)
  if (!Number.isSafeInteger(seed))
    throw new Error(`LOGLYTICS_TEST_SEED: expected an integer or "random", got "${wanted}"`)
  fc.configureGlobal({ seed })
}

export { fc }
