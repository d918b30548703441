/** What a bench is and what it prints. Promises one shape for all figures, so that scripts can read any of them. */

/** One figure. `peer` is what it is held against in the same run; `ratio` = ours / peer, or peer / ours where less is better. */
export interface Figure {
  readonly bench: string
  readonly metric: string
  readonly unit: string
  readonly ours: number
  readonly peer: string | null
  readonly peer_value: number | null
  readonly ratio: number | null
}

export interface BenchOptions {
  readonly redisUrl: string
  readonly databaseUrl: string
  /** Run against this peer only; undefined = all. */
  readonly vs: string | undefined
  /** How large the bench is to be, where it can be smaller: `--lines N`. */
  readonly lines?: number
  /** Tells of progress; silent under --json. */
  readonly log: (line: string) => void
}

export interface Bench {
  readonly name: string
  readonly about: string
  readonly peers: ReadonlyArray<string>
  readonly run: (options: BenchOptions) => Promise<ReadonlyArray<Figure>>
}

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

export const figure = (
  bench: string,
  metric: string,
  unit: string,
  ours: number,
  peer?: { readonly name: string; readonly value: number },
  lessIsBetter = false
): Figure => ({
  bench,
  metric,
  unit,
  ours: round(ours),
  peer: peer?.name ?? null,
  peer_value: peer === undefined ? null : round(peer.value),
  ratio: peer === undefined ? null : round(lessIsBetter ? peer.value / ours : ours / peer.value)
})

const round = (n: number): number => (Math.abs(n) >= 100 ? Math.round(n) : Math.round(n * 1_000) / 1_000)
