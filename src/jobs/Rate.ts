/**
 * How often something may start: "10/s", "600/m", "100/h", or a number per second, as users of Celery write it. Pure.
 */

/** So many starts in any window of so many ms. */
export interface Rate {
  readonly limit: number
  readonly windowMs: number
}

/** A rate as people write it. */
export type RateInput = number | `${number}/${"s" | "m" | "h"}`

const windows: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }

/** The rate of a text or number; undefined where it is none. A fraction ("0.5/s") is one start in a longer window. */
export const parse = (input: string | number): Rate | undefined => {
  const [amount, unit, ...rest] = String(input).trim().split("/")
  const windowMs = windows[(unit ?? "s").trim()]
  const limit = amount === undefined || amount.trim() === "" ? Number.NaN : Number(amount)
  if (windowMs === undefined || rest.length > 0 || !Number.isFinite(limit) || limit <= 0) return undefined
  if (limit < 1) return { limit: 1, windowMs: Math.ceil(windowMs / limit) }
  return Number.isInteger(limit)
    ? { limit, windowMs }
    : { limit: Math.floor(limit), windowMs: (windowMs * Math.floor(limit)) / limit }
}

/** As `parse`; throws what was expected and got. */
export const make = (input: RateInput): Rate => {
  const rate = parse(input)
  if (rate === undefined)
    throw new Error(`expected a rate like "10/s", "600/m", "100/h" or 2.5, got ${JSON.stringify(input)}`)
  return rate
}

/** A rate in words: "10/s", or "1 in 2500 ms" where no unit fits. */
export const text = ({ limit, windowMs }: Rate): string => {
  const unit = Object.keys(windows).find((u) => windows[u] === windowMs)
  return unit === undefined ? `${limit} in ${windowMs} ms` : `${limit}/${unit}`
}
