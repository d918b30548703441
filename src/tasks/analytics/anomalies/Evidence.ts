/** Lines that are shown for a finding: those that its query finds in its span, where it has none of its own. */
import { Effect } from "effect"
import type { AnomalySample, Finding } from "../../../domain/Anomaly.ts"
import type { ProjectId } from "../../../domain/Ids.ts"
import { parse } from "../../../domain/Query.ts"
import type { Logs } from "../../../store/Logs.ts"

const hourMs = 3_600_000
const linesMax = 3
const messageMax = 500

/** Of what is gone the last lines that there were. */
const spanOf = ({ from, kind, to }: Finding) =>
  kind === "vanished_template" ? { from: from - 2 * hourMs, to: from } : { from, to: Math.max(to, from + 1) }

const hasLines = ({ samples }: Finding): boolean => samples.some(({ id }) => id !== undefined)

/** The finding with lines where some can be found; without them it is told all the same. */
export const withLines = Effect.fnUntraced(function* (logs: Logs["Service"], project: ProjectId, finding: Finding) {
  const parsed = parse(finding.query)
  if (hasLines(finding) || finding.query === "" || !parsed.ok) return finding
  const page = yield* logs
    .search({ project, query: parsed.query, ...spanOf(finding), order: "newest", limit: linesMax })
    .pipe(Effect.orElseSucceed(() => undefined))
  const samples = (page?.events ?? []).map(({ id, message, service, time }): AnomalySample => ({
    id,
    time,
    service,
    message: message.slice(0, messageMax).toWellFormed()
  }))
  return samples.length === 0 ? finding : { ...finding, samples }
})
