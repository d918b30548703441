/**
 * A cloud's log store as its users see it: append only, sorted by event time, filtered by event time; an event becomes visible
 * some time after it was ingested, pages may be empty and still have a successor, tokens end. The clock is the server's own.
 */
export interface Stored {
  readonly id: string
  /** Event time, ms. */
  readonly time: number
  /** When the server took it, ms. */
  readonly ingested: number
  /** From when on it is found, ms. */
  readonly visible: number
  readonly message: string
}

export interface Page {
  readonly items: ReadonlyArray<Stored>
  readonly token?: string | undefined
}

export interface Model {
  readonly stored: ReadonlyArray<Stored>
  readonly append: (event: Stored) => void
  /**
   * Events of [from, to) that are visible at `now`, at most `limit`; the token goes on behind the last one. Undefined when the
   * token is no longer good.
   */
  readonly page: (ask: {
    readonly from: number
    readonly to: number
    readonly now: number
    readonly limit: number
    readonly token?: string | undefined
  }) => Page | undefined
  /** The next `count` pages are empty and have a token. */
  readonly emptyPages: (count: number) => void
  /** Tokens given out so far end. */
  readonly endTokens: () => void
}

const order = (a: Stored, b: Stored): number =>
  a.time - b.time || a.ingested - b.ingested || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

export const makeModel = (): Model => {
  const stored: Array<Stored> = []
  let empties = 0
  let era = 0
  return {
    stored,
    append: (event) => {
      let at = stored.length
      while (at > 0 && order(stored[at - 1]!, event) > 0) at--
      stored.splice(at, 0, event)
    },
    page: ({ from, limit, now, to, token }) => {
      const [tokenEra, after] =
        token === undefined ? [era, undefined] : (JSON.parse(token) as [number, Stored | undefined])
      if (tokenEra !== era) return undefined
      if (empties > 0) {
        empties--
        return { items: [], token: JSON.stringify([era, after ?? null]) }
      }
      const behind = (event: Stored) => after === undefined || after === null || order(event, after) > 0
      const found = stored.filter((e) => e.time >= from && e.time < to && e.visible <= now && behind(e))
      const items = found.slice(0, limit)
      return { items, token: found.length > limit ? JSON.stringify([era, items.at(-1)]) : undefined }
    },
    emptyPages: (count) => {
      empties += count
    },
    endTokens: () => {
      era++
    }
  }
}
