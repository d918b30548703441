/** What is known of the jobs that findings name, as text: their runs, their states as Redis wrote them down, the harm around. Pure. */
import type { Evidence } from "./Checks.ts"
import { claimsOf } from "./History.ts"

/** Jobs whose story is told. */
const toldMax = 3
/** Harm is told from so many ms before the first run of a job. */
const beforeMs = 5_000

export const storiesOf = (evidence: Evidence, findings: ReadonlyArray<string>): ReadonlyArray<string> => {
  const ids = new Set(findings.flatMap((finding) => /\bjob (\S+)/u.exec(finding)?.[1] ?? []))
  return [...ids].slice(0, toldMax).map((id) => storyOf(evidence, id))
}

const storyOf = ({ deaths, harms, history, runs, left }: Evidence, id: string): string => {
  const own = runs.filter((run) => run.id === id)
  const since = own[0]?.from ?? 0
  const last = Math.max(since, ...own.map((run) => run.until ?? run.from))
  const at = (ms: number) => `${Math.round(ms - since)}`.padStart(7)
  const lines: Array<readonly [at: number, text: string]> = own.flatMap((run) => [
    [run.from, `worker ${run.worker} (${run.pid}) begins attempt ${run.attempt} of ${run.task}`],
    ...(run.until === undefined ? [] : [[run.until, `worker ${run.worker} (${run.pid}): ${run.how}`] as const])
  ])
  for (const { consumer, count, entry, from, renewed } of claimsOf(history, id)) {
    const kept = `kept for ${Math.round(renewed - from)} ms`
    lines.push([from, `${entry} is claimed by ${consumer}, delivery ${count}, ${kept}`])
  }
  for (const [pid, { at: when, how, worker }] of deaths) {
    if (when > since - beforeMs && when < last) lines.push([when, `worker ${worker} (${pid}) is ${how}`])
  }
  for (const { from, until, verb, worker } of harms) {
    if (until < since - beforeMs || from > last) continue
    lines.push([
      from,
      `${verb}${worker === undefined ? "" : ` of worker ${worker}`} for ${Math.round(until - from)} ms`
    ])
  }
  const steps = (history.steps.get(id) ?? []).map(({ entry, run, state }) =>
    [state, entry, run].filter(Boolean).join(" ")
  )
  return [
    `job ${id}: ${left.jobs.get(id)?.state ?? "unknown"}, written: ${steps.join(" · ")}`,
    ...lines.sort(([a], [b]) => a - b).map(([when, text]) => `${at(when)} ms  ${text}`)
  ].join("\n")
}
