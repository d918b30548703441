/** The jobs that moved last: task, state, run time, attempt and age; a failed one opens to its error. */
import { useState } from "react"
import type { JobRow } from "../api.ts"
import { useJobs, useNow } from "../data.ts"
import { age, duration, moment, said, since } from "../format.ts"
import { Check, Chevron, Clock, Cross, Run, Warn } from "./Icons.tsx"
import { Empty, Loaded, Panel } from "./Panel.tsx"

type Tone = "good" | "bad" | "warn" | "busy" | "plain"
const signs = { good: Check, bad: Cross, warn: Warn, busy: Run, plain: Clock } as const

const tones: ReadonlyArray<readonly [RegExp, Tone]> = [
  [/^(?:done|succe|complete|ok)/iu, "good"],
  [/^(?:dead|fail|error|crash)/iu, "bad"],
  [/^(?:retr|cancel|revoke|snooze)/iu, "warn"],
  [/^(?:run|active|start|claim)/iu, "busy"]
]

/** The look of a state by its word; a word from a newer server looks plain. */
const toneOf = (state: string): Tone => tones.find(([pattern]) => pattern.test(state))?.[1] ?? "plain"

function Row({ job, now }: { readonly job: JobRow; readonly now: number }) {
  const [open, setOpen] = useState(false)
  const tone = toneOf(job.state)
  const Sign = signs[tone]
  const error = said(job.error)
  const moved = job.finishedAt ?? job.startedAt ?? job.enqueuedAt
  const started = moment(job.startedAt)
  const ran = job.durationMs ?? (tone === "busy" && started !== null ? Math.max(0, now - started) : null)
  return (
    <>
      <tr className={open ? "is-open" : ""}>
        <th scope="row">
          {error === null ? (
            <span className="job-task" title={`${job.task}, ${job.queue}, ${job.id}`}>
              {job.task}
            </span>
          ) : (
            <button
              type="button"
              className="job-task disclose"
              aria-expanded={open}
              title={error}
              onClick={() => setOpen(!open)}
            >
              <Chevron />
              <span>{job.task}</span>
            </button>
          )}
        </th>
        <td>
          <span className={`state is-${tone}`}>
            <Sign />
            {job.state}
          </span>
        </td>
        <td className="number" data-head="Took">
          {duration(ran)}
        </td>
        <td className={`number ${job.attempt > 1 ? "is-warn" : "is-zero"}`} data-head="Attempt">
          {job.attempt}
        </td>
        <td className="number muted" data-head="Ago">
          {age(since(moved, now))}
        </td>
      </tr>
      {open && error !== null ? (
        <tr className="job-error">
          <td colSpan={5}>
            <pre>{error}</pre>
            <p className="muted mono">
              {job.queue} · {job.id}
            </p>
          </td>
        </tr>
      ) : null}
    </>
  )
}

export function JobsPanel({ rows = 12 }: { readonly rows?: number }) {
  const asked = useJobs()
  const now = useNow()
  return (
    <Panel title="Recent jobs">
      <Loaded asked={asked} rows={5}>
        {(jobs) =>
          jobs.length === 0 ? (
            <Empty title="No job has run yet">
              <p className="muted">Schedules begin within 30 seconds of the start of a beat.</p>
            </Empty>
          ) : (
            <table className="table jobs">
              <thead>
                <tr>
                  <th scope="col">Task</th>
                  <th scope="col">State</th>
                  <th scope="col" className="number">
                    Took
                  </th>
                  <th scope="col" className="number">
                    <abbr title="Attempt">Att.</abbr>
                  </th>
                  <th scope="col" className="number">
                    Ago
                  </th>
                </tr>
              </thead>
              <tbody>
                {jobs.slice(0, rows).map((job) => (
                  <Row key={job.id} job={job} now={now} />
                ))}
              </tbody>
            </table>
          )
        }
      </Loaded>
    </Panel>
  )
}
