/**
 * What must be true of the lines of a run, whatever was done to the processes and servers: one check each, from the evidence
 * alone. A finding is a sentence. Pure; checks.test.ts shows that each of them can fail.
 */
import type { Sending } from "./Ledger.ts"

export interface Evidence {
  readonly sendings: ReadonlyArray<Sending>
  /** Message → how often it is stored. */
  readonly stored: ReadonlyMap<string, number>
  /** Lines that the rule's window holds at the end; the window is longer than the run. */
  readonly counted: number
  /** Alerts of the rule, and its threshold. */
  readonly alerts: ReadonlyArray<{ readonly state: string }>
  readonly threshold: number
  /** Batches that wait, or were set aside, when time was up; nothing in a good run. */
  readonly held: number
  readonly buried: number
}

export type Check = (evidence: Evidence) => ReadonlyArray<string>

/** Every line that was answered with a 2xx is stored. */
export const nothingLost: Check = ({ sendings, stored }) =>
  sendings.flatMap(({ door, lines, told, tries }) => {
    if (told !== "accepted") return []
    const lost = lines.filter((line) => !stored.has(line))
    return lost.length === 0
      ? []
      : [
          `${lost.length} of ${lines.length} lines accepted by ${door} (try ${tries}) are not stored, the first: ${lost[0]}`
        ]
  })

/** No line is stored twice, whether it was answered or not. */
export const nothingDoubled: Check = ({ sendings, stored }) => {
  const doors = new Map(sendings.flatMap(({ door, lines, told }) => lines.map((line) => [line, `${door}, ${told}`])))
  return [...stored].flatMap(([line, times]) =>
    times === 1 ? [] : [`line ${line} (${doors.get(line) ?? "never sent"}) is stored ${times} times`]
  )
}

/** Nothing is stored that nobody sent. */
export const nothingInvented: Check = ({ sendings, stored }) => {
  const sent = new Set(sendings.flatMap(({ lines }) => lines))
  return [...stored.keys()].flatMap((line) => (sent.has(line) ? [] : [`line ${line} is stored, nobody sent it`]))
}

/** The rule has counted each stored line that it selects once. Uploaded files are not judged. */
export const countedOnce: Check = ({ counted, sendings, stored }) => {
  const matching = sendings.filter(({ door }) => door !== "upload").flatMap((one) => one.matching)
  const wanted = matching.filter((line) => stored.has(line)).length
  return counted === wanted ? [] : [`the rule counted ${counted} lines, ${wanted} that it selects are stored`]
}

/** The rule fired once where its threshold was reached, else not. */
export const firedOnce: Check = ({ alerts, counted, threshold }) => {
  const wanted = counted >= threshold ? 1 : 0
  return alerts.length === wanted
    ? []
    : [`expected ${wanted} alert at ${counted} lines of ${threshold}, got ${alerts.length}`]
}

/** All that was accepted has gone through. */
export const allThrough: Check = ({ buried, held }) => [
  ...(held === 0 ? [] : [`${held} batches still wait`]),
  ...(buried === 0 ? [] : [`${buried} batches were set aside`])
]

const checks: Readonly<Record<string, Check>> = {
  "nothing lost": nothingLost,
  "nothing doubled": nothingDoubled,
  "nothing invented": nothingInvented,
  "counted once": countedOnce,
  "fired once": firedOnce,
  "all through": allThrough
}

/** The findings of all checks, each with its check's name. */
export const judge = (evidence: Evidence): ReadonlyArray<string> =>
  Object.entries(checks).flatMap(([name, check]) => {
    const findings = check(evidence)
    const shown = findings.slice(0, 10).map((finding) => `${name}: ${finding}`)
    return findings.length > 10 ? [...shown, `${name}: … and ${findings.length - 10} more`] : shown
  })
