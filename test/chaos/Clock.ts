/**
 * One clock for all processes of a run, ms: the machine's monotonic clock, which a skewed `Date` does not move. The ledger
 * tells by it what came before what.
 */
export const nowMs = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000

/** Epoch ms at which this clock stands at nothing, where `Date` is not skewed. */
export const wallMs = Date.now() - nowMs()
