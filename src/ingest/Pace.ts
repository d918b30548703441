/**
 * Keeps a process within what a cloud allows an account: a token bucket per account. Other processes are not known here;
 * where they are too many together, the cloud says so and the poll waits.
 */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

export interface Bucket {
  readonly tokens: number
  /** Epoch ms. */
  readonly at: number
}

/** Takes one token, which may have to be waited for. Pure. */
export const take = (
  bucket: Bucket | undefined,
  rate: Rate,
  now: number
): { readonly bucket: Bucket; readonly waitMs: number } => {
  const before = bucket ?? { tokens: rate.burst, at: now }
  const grown = before.tokens + (Math.max(0, now - before.at) / 1_000) * rate.perSecond
  const tokens = Math.min(rate.burst, grown) - 1
  return {
    bucket: { tokens, at: Math.max(now, before.at) },
    waitMs: tokens >= 0 ? 0 : Math.ceil((-tokens / rate.perSecond) * 1_000)
  }
}

/** Accounts that are remembered. */
const accountsMax = 1_000
const buckets = new Map<string, Bucket>()

/** How long the next call for an account has to wait, ms; it counts as made. */
export const wait = (account: string, rate: Rate, now: number): number => {
  const { bucket, waitMs } = take(buckets.get(account), rate, now)
  buckets.delete(account)
  if (buckets.size >= accountsMax)
    for (const [oldest] of buckets) {
      buckets.delete(oldest)
      break
    }
  buckets.set(account, bucket)
  return waitMs
}
