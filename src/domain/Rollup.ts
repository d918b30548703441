/**
 * Figures of the lines of one hour or day, as they are kept beside the lines and outlive them. Promises that rows of parts
 * merge into the row of the whole; names beyond the largest of each list are counted together. Pure.
 */
import { type Level, levels } from "./Level.ts"
import { type Sketch, SketchBuilder } from "./Sketch.ts"

/** Names that are counted together because there are too many. */
export const others = "(others)"

/** Names kept per row. */
export const keptMax = { services: 100, hosts: 50, endpoints: 40 } as const
/** Services of a row whose durations are kept apart. */
const timedMax = 25

export interface ServiceFigures {
  readonly lines: number
  readonly warnings: number
  /** error and fatal. */
  readonly errors: number
  /** Durations that its lines tell, ms. */
  readonly latency?: Sketch
}

export interface EndpointFigures {
  readonly errors: number
  readonly latency: Sketch
}

export interface Rollup {
  readonly lines: number
  /** In the order of `levels`. */
  readonly byLevel: ReadonlyArray<number>
  readonly services: Readonly<Record<string, ServiceFigures>>
  readonly hosts: Readonly<Record<string, number>>
  /** By `service method path`, parted by spaces; only of lines that tell a duration. */
  readonly endpoints: Readonly<Record<string, EndpointFigures>>
  /** Durations of all lines, ms; null where none tells one. */
  readonly latency: Sketch | null
}

interface ServiceBuilder {
  lines: number
  warnings: number
  errors: number
  latency: SketchBuilder | undefined
}
interface EndpointBuilder {
  errors: number
  latency: SketchBuilder
}

/** Names that a builder tells apart; later ones are others. */
const namesMax = 5_000

const nameIn = (map: ReadonlyMap<string, unknown>, name: string): string =>
  map.has(name) || map.size < namesMax ? name : others

/** Gathers counts of lines, or rows, into one row. */
export class RollupBuilder {
  lines = 0
  readonly #levels = levels.map(() => 0)
  readonly #services = new Map<string, ServiceBuilder>()
  readonly #hosts = new Map<string, number>()
  readonly #endpoints = new Map<string, EndpointBuilder>()
  readonly #latency = new SketchBuilder()

  #service(name: string): ServiceBuilder {
    const key = nameIn(this.#services, name)
    const found = this.#services.get(key) ?? { lines: 0, warnings: 0, errors: 0, latency: undefined }
    this.#services.set(key, found)
    return found
  }

  #endpoint(name: string): EndpointBuilder {
    const key = nameIn(this.#endpoints, name)
    const found = this.#endpoints.get(key) ?? { errors: 0, latency: new SketchBuilder() }
    this.#endpoints.set(key, found)
    return found
  }

  addLines(service: string, level: Level, n: number): void {
    const index = levels.indexOf(level)
    this.lines += n
    this.#levels[index]! += n
    const one = this.#service(service)
    one.lines += n
    if (index >= levels.indexOf("error")) one.errors += n
    else if (level === "warn") one.warnings += n
  }

  addHost(host: string, n: number): void {
    if (host === "") return
    const key = nameIn(this.#hosts, host)
    this.#hosts.set(key, (this.#hosts.get(key) ?? 0) + n)
  }

  /** `n` durations of one bucket (Sketch.ts), `errors` of them of lines that tell an error. */
  addDurations(
    service: string,
    endpoint: string,
    durations: {
      readonly bucket: number
      readonly n: number
      readonly sum: number
      readonly max: number
      readonly errors: number
    }
  ): void {
    const { bucket, errors, max, n, sum } = durations
    this.#latency.addBucket(bucket, n, sum, max)
    const one = this.#service(service)
    one.latency ??= new SketchBuilder()
    one.latency.addBucket(bucket, n, sum, max)
    if (endpoint === "") return
    const found = this.#endpoint(`${service} ${endpoint}`)
    found.errors += errors
    found.latency.addBucket(bucket, n, sum, max)
  }

  merge(row: Rollup): void {
    this.lines += row.lines
    for (const [i, n] of row.byLevel.entries()) this.#levels[i]! += n
    for (const [name, one] of Object.entries(row.services)) {
      const mine = this.#service(name)
      mine.lines += one.lines
      mine.warnings += one.warnings
      mine.errors += one.errors
      if (one.latency !== undefined) (mine.latency ??= new SketchBuilder()).merge(one.latency)
    }
    for (const [host, n] of Object.entries(row.hosts)) this.addHost(host, n)
    for (const [name, one] of Object.entries(row.endpoints)) {
      const mine = this.#endpoint(name)
      mine.errors += one.errors
      mine.latency.merge(one.latency)
    }
    if (row.latency !== null) this.#latency.merge(row.latency)
  }

  take(): Rollup {
    return {
      lines: this.lines,
      byLevel: [...this.#levels],
      services: this.#takeServices(),
      hosts: Object.fromEntries(
        top(
          [...this.#hosts],
          keptMax.hosts,
          (n) => n,
          (parts) => parts.reduce((sum, n) => sum + n, 0)
        )
      ),
      endpoints: Object.fromEntries(
        top(
          [...this.#endpoints],
          keptMax.endpoints,
          ({ latency }) => latency.sum,
          (parts) => {
            const all: EndpointBuilder = { errors: 0, latency: new SketchBuilder() }
            for (const part of parts) {
              all.errors += part.errors
              all.latency.merge(part.latency.take())
            }
            return all
          }
        ).map(([name, { errors, latency }]) => [name, { errors, latency: latency.take() }])
      ),
      latency: this.#latency.n === 0 ? null : this.#latency.take()
    }
  }

  #takeServices(): Rollup["services"] {
    const kept = top([...this.#services], keptMax.services, ({ lines }) => lines, joined)
    const timed = new Set(
      kept
        .filter(([, { latency }]) => latency !== undefined)
        .sort(([, a], [, b]) => b.latency!.n - a.latency!.n)
        .slice(0, timedMax)
        .map(([name]) => name)
    )
    return Object.fromEntries(
      kept.map(([name, { errors, latency, lines, warnings }]) => [
        name,
        { lines, warnings, errors, ...(timed.has(name) ? { latency: latency!.take() } : {}) }
      ])
    )
  }
}

const joined = (parts: ReadonlyArray<ServiceBuilder>): ServiceBuilder => {
  const all: ServiceBuilder = { lines: 0, warnings: 0, errors: 0, latency: undefined }
  for (const part of parts) {
    all.lines += part.lines
    all.warnings += part.warnings
    all.errors += part.errors
    if (part.latency !== undefined) (all.latency ??= new SketchBuilder()).merge(part.latency.take())
  }
  return all
}

/** The largest by name, the rest as one under `others`. */
const top = <A>(
  entries: ReadonlyArray<readonly [string, A]>,
  max: number,
  size: (one: A) => number,
  join: (parts: ReadonlyArray<A>) => A
): ReadonlyArray<readonly [string, A]> => {
  if (entries.length <= max) return entries
  const sorted = entries.toSorted(([a, one], [b, two]) => size(two) - size(one) || (a < b ? -1 : 1))
  const named = sorted.filter(([name]) => name !== others)
  const rest = [...named.slice(max - 1), ...sorted.filter(([name]) => name === others)]
  return [...named.slice(0, max - 1), [others, join(rest.map(([, one]) => one))]]
}

export const mergeRollups = (rows: Iterable<Rollup>): Rollup => {
  const builder = new RollupBuilder()
  for (const row of rows) builder.merge(row)
  return builder.take()
}
