/**
 * A rule tried on stored lines before it is kept. Reads what the rule needs, oldest first, within limits of lines and time; what
 * was not reached is said, so that nobody takes a part for the whole.
 */
import { Clock, Effect } from "effect"
import * as Rehearsal from "../../alerts/Rehearsal.ts"
import type { ProjectId } from "../../domain/Ids.ts"
import { asLogEvent } from "../../domain/LogEvent.ts"
import type { NewRule } from "../../domain/Rule.ts"
import type { Logs } from "../../store/Logs.ts"

/** Lines that are read, and ms that it may take. */
const linesMax = 200_000
const withinMs = 20_000
const pageLines = 5_000

export interface Trial extends Rehearsal.Outcome {
  readonly issues: Rehearsal.Rehearsal["issues"]
  /** Lines that the rule saw. */
  readonly lines: number
  /** Event time up to which lines were looked at, epoch ms: `to`, unless there were too many. */
  readonly scannedTo: number
}

/** What would have become of a rule between two event times (epoch ms), had it been made at `from`. */
export const tryRule = Effect.fnUntraced(function* (
  logs: Pick<Logs["Service"], "search">,
  given: { readonly project: ProjectId; readonly rule: NewRule; readonly from: number; readonly to: number }
) {
  const { from, project, rule, to } = given
  const rehearsal = Rehearsal.make(rule, project, from)
  const until = (yield* Clock.currentTimeMillis) + withinMs
  let lines = 0
  let scannedTo = from
  let cursor: string | undefined
  while (rehearsal.issues.length === 0) {
    const left = until - (yield* Clock.currentTimeMillis)
    if (left <= 0 || lines >= linesMax) break
    const page = yield* logs
      .search({
        project,
        query: rehearsal.query,
        from,
        to,
        order: "oldest",
        limit: pageLines,
        withinMs: left,
        ...(cursor === undefined ? {} : { cursor })
      })
      .pipe(Effect.catchTag("SearchTooSlow", () => Effect.succeed(undefined)))
    if (page === undefined) break
    lines += page.events.length
    rehearsal.take(page.events.map(asLogEvent))
    const reached = page.scannedTo ?? page.events.at(-1)?.time
    scannedTo = page.next === null || reached === undefined ? to : Date.parse(reached)
    if (page.next === null) break
    cursor = page.next
  }
  return { ...rehearsal.end(scannedTo), issues: rehearsal.issues, lines, scannedTo } satisfies Trial
})
