/** Each queue with what waits, runs, sleeps and died, and the age of the oldest waiting job, which tells of trouble first. */
import type { QueueRow } from "../api.ts"
import { useQueues } from "../data.ts"
import { age, count } from "../format.ts"
import { Pause } from "./Icons.tsx"
import { Empty, Loaded, Panel } from "./Panel.tsx"

const figures = ["backlog", "inFlight", "delayed", "dead"] as const
const heads: Readonly<Record<(typeof figures)[number], string>> = {
  backlog: "Backlog",
  inFlight: "In flight",
  delayed: "Delayed",
  dead: "Dead"
}

function Row({ queue }: { readonly queue: QueueRow }) {
  const old = queue.oldestAgeMs ?? 0
  return (
    <tr>
      <th scope="row">
        {queue.name}
        {queue.paused ? (
          <span className="state is-warn">
            <Pause /> paused
          </span>
        ) : null}
      </th>
      {figures.map((figure) => (
        <td
          key={figure}
          data-head={heads[figure]}
          className={`number ${queue[figure] === 0 ? "is-zero" : ""} ${figure === "dead" && queue.dead > 0 ? "is-bad" : ""}`}
        >
          {count(queue[figure])}
        </td>
      ))}
      <td
        data-head="Oldest"
        className={`number ${old > 300_000 ? "is-bad" : old > 60_000 ? "is-warn" : old === 0 ? "is-zero" : ""}`}
      >
        {age(queue.oldestAgeMs)}
      </td>
    </tr>
  )
}

export function QueuesPanel() {
  const asked = useQueues()
  return (
    <Panel title="Queues">
      <Loaded asked={asked}>
        {(queues) =>
          queues.length === 0 ? (
            <Empty title="No queue yet">
              <p className="muted">Queues appear with the first worker.</p>
            </Empty>
          ) : (
            <table className="table queues">
              <thead>
                <tr>
                  <th scope="col">Queue</th>
                  {figures.map((figure) => (
                    <th key={figure} scope="col" className="number">
                      {heads[figure]}
                    </th>
                  ))}
                  <th scope="col" className="number">
                    Oldest
                  </th>
                </tr>
              </thead>
              <tbody>
                {queues.map((queue) => (
                  <Row key={queue.name} queue={queue} />
                ))}
              </tbody>
            </table>
          )
        }
      </Loaded>
    </Panel>
  )
}
