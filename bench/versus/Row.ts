/** One line of the table: what was measured, for whom, and what the issue of the engine asks of us. */
import { figure, type Figure } from "../Bench.ts"

export interface Row {
  readonly scenario: string
  readonly metric: string
  readonly unit: string
  /** What must hold, in words. */
  readonly must: string
  /** Values by contestant; NaN = not measured. */
  readonly values: Readonly<Record<string, number>>
  readonly lessIsBetter: boolean
  /** Undefined where there is no demand, or what it is held against was not measured. */
  readonly holds: boolean | undefined
  /** Whether it is drawn in the picture. */
  readonly chief: boolean
  /** Why a contestant has no value. */
  readonly notes: Readonly<Record<string, string>>
}

/** Rows as they were kept: JSON has no NaN. */
export const rowsOf = (text: string): ReadonlyArray<Row> =>
  JSON.parse(text, (_, value: unknown) => value ?? Number.NaN) as ReadonlyArray<Row>

export type Demand =
  | { readonly atMost: number }
  | { readonly atLeast: number }
  /** At least so many times as good as a contestant. */
  | { readonly times: number; readonly of: string }

export interface RowOptions {
  readonly scenario: string
  readonly metric: string
  readonly unit: string
  readonly lessIsBetter?: boolean
  readonly must?: ReadonlyArray<Demand>
  /** Default: whether something is demanded. */
  readonly chief?: boolean
}

const meets = (demand: Demand, values: Readonly<Record<string, number>>, less: boolean): boolean | undefined => {
  const ours = values["loglytics"] ?? Number.NaN
  if (Number.isNaN(ours)) return undefined
  if ("atMost" in demand) return ours <= demand.atMost
  if ("atLeast" in demand) return ours >= demand.atLeast
  const other = values[demand.of] ?? Number.NaN
  return Number.isNaN(other) ? undefined : ratioOf(ours, other, less) >= demand.times
}

/** How many times as good the first is as the second. */
export const ratioOf = (ours: number, other: number, lessIsBetter: boolean): number =>
  lessIsBetter ? other / ours : ours / other

const words = (demand: Demand, unit: string, less: boolean): string => {
  if ("atMost" in demand) return `≤ ${demand.atMost.toLocaleString("en")} ${unit}`
  if ("atLeast" in demand) return `≥ ${demand.atLeast.toLocaleString("en")} ${unit}`
  return less ? `≤ ${1 / demand.times} × ${demand.of}` : `≥ ${demand.times} × ${demand.of}`
}

export const row = (options: RowOptions, values: Readonly<Record<string, number>>): Row => {
  const less = options.lessIsBetter === true
  const met = (options.must ?? []).map((demand) => meets(demand, values, less)).filter((m) => m !== undefined)
  return {
    scenario: options.scenario,
    metric: options.metric,
    unit: options.unit,
    must: (options.must ?? []).map((demand) => words(demand, options.unit, less)).join(", "),
    values,
    lessIsBetter: less,
    holds: met.length === 0 ? undefined : met.every(Boolean),
    chief: options.chief ?? (options.must ?? []).length > 0,
    notes: {}
  }
}

/** Rows as figures, one for each contestant that was measured. */
export const figuresOf = (rows: ReadonlyArray<Row>): ReadonlyArray<Figure & { must: string; holds: boolean | null }> =>
  rows.flatMap((r) => {
    const ours = r.values["loglytics"]
    if (ours === undefined) return []
    const rest = { must: r.must, holds: r.holds ?? null }
    const others = Object.entries(r.values).filter(([name]) => name !== "loglytics")
    if (others.length === 0) return [{ ...figure(r.scenario, r.metric, r.unit, ours), ...rest }]
    return others.map(([name, value]) => ({
      ...figure(r.scenario, r.metric, r.unit, ours, { name, value }, r.lessIsBetter),
      ...rest
    }))
  })

/** One figure of every contestant, out of what `interleaved` gave. */
export const pick = <K extends string>(
  seen: ReadonlyMap<string, Readonly<Record<K, number>>>,
  of: (figures: Readonly<Record<K, number>>) => number
): Readonly<Record<string, number>> => Object.fromEntries([...seen].map(([peer, figures]) => [peer, of(figures)]))
