/**
 * Many measured values in a few hundred numbers: counts per bucket, each bucket 4 % wider than the one before, so that any
 * quantile is within 2 % of the truth. Merging two sketches gives the sketch of all their values. Pure; plain JSON.
 */
import { Schema } from "effect"

export const Sketch = Schema.Struct({
  /** Values. */
  n: Schema.Finite,
  sum: Schema.Finite,
  max: Schema.Finite,
  /** Bucket and count in turn, buckets ascending. */
  b: Schema.Array(Schema.Finite)
})
export type Sketch = typeof Sketch.Type

/** Largest relative error of a quantile. */
export const accuracy = 0.02
const gamma = (1 + accuracy) / (1 - accuracy)
/** ln of the ratio of two neighbouring buckets. */
export const lnGamma = Math.log(gamma)
/** Values beyond these count as these. */
export const least = 0.001
export const most = 1e9

export const empty: Sketch = { n: 0, sum: 0, max: 0, b: [] }

/** The bucket of a value; what is no number above `least` has the lowest. */
export const bucketOf = (value: number): number =>
  Math.ceil(Math.log(Math.min(most, Math.max(least, Number.isNaN(value) ? least : value))) / lnGamma)

/** The value that a bucket stands for. */
const middleOf = (bucket: number): number => (2 * gamma ** bucket) / (gamma + 1)

/** Gathers values; those of one bucket may come together. */
export class SketchBuilder {
  n = 0
  sum = 0
  max = 0
  readonly #buckets = new Map<number, number>()

  add(value: number): void {
    const clamped = Math.min(most, Math.max(0, Number.isNaN(value) ? 0 : value))
    this.addBucket(bucketOf(clamped), 1, clamped, clamped)
  }

  /** `n` values of one bucket, with their sum and the largest. */
  addBucket(bucket: number, n: number, sum: number, max: number): void {
    this.n += n
    this.sum += sum
    this.max = Math.max(this.max, max)
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + n)
  }

  merge(other: Sketch): void {
    this.n += other.n
    this.sum += other.sum
    this.max = Math.max(this.max, other.max)
    for (let i = 0; i + 1 < other.b.length; i += 2) {
      const bucket = other.b[i]!
      this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + other.b[i + 1]!)
    }
  }

  take(): Sketch {
    const b = [...this.#buckets].sort(([a], [c]) => a - c).flat()
    return { n: this.n, sum: Math.round(this.sum * 1_000) / 1_000, max: this.max, b }
  }
}

export const merge = (sketches: Iterable<Sketch>): Sketch => {
  const builder = new SketchBuilder()
  for (const one of sketches) builder.merge(one)
  return builder.take()
}

export const of = (values: Iterable<number>): Sketch => {
  const builder = new SketchBuilder()
  for (const value of values) builder.add(value)
  return builder.take()
}

/** The value that `q` (0 to 1) of all lie at or below; null of an empty sketch. */
export const quantile = (sketch: Sketch, q: number): number | null => {
  if (sketch.n <= 0) return null
  const rank = Math.max(0, Math.min(1, q)) * (sketch.n - 1)
  let seen = 0
  for (let i = 0; i + 1 < sketch.b.length; i += 2) {
    seen += sketch.b[i + 1]!
    if (seen > rank) return rounded(Math.min(sketch.max, middleOf(sketch.b[i]!)))
  }
  return rounded(sketch.max)
}

/** Four digits that count: more would be false. */
const rounded = (value: number): number => Number(value.toPrecision(4))
