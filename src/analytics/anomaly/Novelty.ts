/**
 * Templates that are new and templates that are gone. Learns in silence first, tells of a new one only when its source is
 * healthy and enough of its lines came in an hour, and takes many new ones at once for one event. Pure; needs counts per hour.
 */

export interface HourlyTemplate {
  readonly id: string
  /** Epoch ms. */
  readonly firstSeen: number
  /** Start of an hour, epoch ms, lines, and errors among them; oldest first, hours without lines left out. */
  readonly hours: ReadonlyArray<readonly [number, number, number]>
}

export interface NoveltyOptions {
  /** Only what came about after this is told, epoch ms. */
  readonly since: number
  /** End of the last whole hour that was counted, epoch ms. */
  readonly now: number
  /** All lines per hour: start, epoch ms, and lines; oldest first. */
  readonly totals: ReadonlyArray<readonly [number, number]>
  /** Hours of a project's history in which everything but new errors is learnt in silence; 24 without it. */
  readonly lookBackHours?: number
  /** Lines in one hour that make a new template worth telling; 5 without it, 2 of errors. */
  readonly times?: number
}

export interface NewTemplate {
  readonly id: string
  /** Epoch ms */
  readonly at: number
  /** Lines in its strongest hour, and of these errors. */
  readonly lines: number
  readonly errors: number
  /** End of the last hour that had lines, epoch ms. */
  readonly until: number
  readonly score: number
}

export interface Novelties {
  readonly fresh: ReadonlyArray<NewTemplate>
  /** Many came at once: a new version or a new source, told as one. */
  readonly together: boolean
  /** Why nothing is told, where something was new. */
  readonly silent: "learning" | "source unhealthy" | undefined
}

export interface Vanished {
  readonly id: string
  /** When its last line's hour ended, and until when nothing came, epoch ms. */
  readonly from: number
  readonly to: number
  /** Lines that were expected in this time. */
  readonly expected: number
  readonly score: number
}

const hourMs = 3_600_000
const lookBackDefault = 24
const timesDefault = 5
const errorTimes = 2
/** Part of a young project's history, one in so many, after which new errors are told. */
const youngParts = 8
/** Templates that are new at once and told as one from here on. */
const togetherMin = 10
/** Lines of an hour as part of the usual hour, between which a source counts as healthy. */
const healthyMin = 0.2
const healthyMax = 20
/** A template is steady when it came in this part of at least so many hours, with so many lines in each. */
const steadyPart = 0.9
const steadyHours = 24
const steadyLines = 5
/** Hours of silence, at least, and the lines that are missing then. */
const goneHours = 2
const goneLines = 20

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

/** Whether as many lines as usual come, in the hours from `from` on. */
const healthy = (totals: NoveltyOptions["totals"], from: number, least: number): boolean => {
  const before = totals.filter(([hour]) => hour < from).map(([, lines]) => lines)
  const after = totals.filter(([hour]) => hour >= from).map(([, lines]) => lines)
  const usual = median(before)
  const now = median(after)
  return before.length === 0 || (after.length > 0 && now >= least * usual && now <= healthyMax * Math.max(usual, 1))
}

/** Templates that were first seen after `since`. */
export const newTemplates = (all: ReadonlyArray<HourlyTemplate>, options: NoveltyOptions): Novelties => {
  const { lookBackHours = lookBackDefault, since, times = timesDefault, totals } = options
  const begin = totals[0]?.[0]
  const fresh = all.flatMap((one): ReadonlyArray<NewTemplate> => {
    if (one.firstSeen < since) return []
    const [, lines, errors] = one.hours.toSorted((a, b) => b[1] - a[1])[0] ?? [0, 0, 0]
    if (lines < times && errors < Math.min(errorTimes, times)) return []
    const weight = Math.log10(1 + lines) + (errors > 0 ? 1 : 0)
    const until = Math.max(...one.hours.map(([hour]) => hour)) + hourMs
    return [{ id: one.id, at: one.firstSeen, until, lines, errors, score: 0.5 + 0.5 * (weight / (weight + 2)) }]
  })
  const quiet = (silent: Novelties["silent"]): Novelties => ({ fresh: [], together: false, silent })
  if (fresh.length === 0) return quiet(undefined)
  // Errors that are new say something sooner than a pattern that just had its first turn.
  const young = begin === undefined ? 0 : (options.now - begin) / hourMs / youngParts
  const errorHours = Math.min(lookBackHours, Math.max(1, young))
  const learnt = ({ at, errors }: NewTemplate): boolean =>
    begin !== undefined && at >= begin + (errors >= errorTimes ? errorHours : lookBackHours) * hourMs
  const known = fresh.filter(learnt)
  if (known.length === 0) return quiet("learning")
  const first = Math.min(...known.map(({ at }) => at))
  if (!healthy(totals, Math.floor(first / hourMs) * hourMs, healthyMin)) return quiet("source unhealthy")
  return {
    fresh: known.toSorted((a, b) => b.score - a.score || Number(a.id) - Number(b.id)),
    together: known.length >= togetherMin,
    silent: undefined
  }
}

/** Templates that came steadily and do not any more, while other lines still come. */
export const vanishedTemplates = (
  all: ReadonlyArray<HourlyTemplate>,
  { now, since, totals }: Pick<NoveltyOptions, "since" | "now" | "totals">
): ReadonlyArray<Vanished> =>
  all.flatMap((one): ReadonlyArray<Vanished> => {
    const last = one.hours.at(-1)
    const first = one.hours[0]
    if (last === undefined || first === undefined) return []
    const from = last[0] + hourMs
    const gone = (now - from) / hourMs
    // The last hour of all may have been cut short: it says nothing of how steady the template was.
    const span = (last[0] - first[0]) / hourMs
    const before = one.hours.slice(0, -1)
    if (gone < goneHours || now <= since || span < steadyHours || before.length < steadyPart * span) return []
    const usual = median(before.map(([, lines]) => lines))
    const expected = usual * gone
    if (usual < steadyLines || expected < goneLines || !healthy(totals, from, 0.5)) return []
    // Told when it becomes plain, not again while it lasts.
    if (from + Math.max(goneHours, Math.ceil(goneLines / usual)) * hourMs <= since) return []
    return [{ id: one.id, from, to: now, expected, score: 0.5 + 0.5 * (expected / (expected + 100)) }]
  })
