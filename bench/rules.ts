/** What rules cost: CPU of judging 20,000 lines with ten rules and with a thousand, of which each batch matches all. */
import * as Judge from "../src/alerts/Judge.ts"
import type { LogEvent } from "../src/domain/LogEvent.ts"
import { ProjectId, RuleId } from "../src/domain/Ids.ts"
import type { AlertRule } from "../src/domain/Rule.ts"
import { type Bench, figure, median } from "./Bench.ts"

const start = 1_700_000_000_000
const batchLines = 2_000
const batches = 30

const rules = (count: number): ReadonlyArray<AlertRule> =>
  Array.from({ length: count }, (_, i) => ({
    id: RuleId.make(`r${i}`),
    project: ProjectId.make("bench"),
    name: `rule ${i}`,
    enabled: true,
    createdAt: "2026-01-01T00:00:00.000Z",
    type: "threshold",
    query: [`probe${i}end`, `service:svc-${i}`, `level:error probe${i}end`, `user:u${i}`][i % 4]!,
    window: "1 minute",
    threshold: 1_000
  }))

const lines = (batch: number): ReadonlyArray<LogEvent> =>
  Array.from({ length: batchLines }, (_, i) => ({
    time: start + batch * 100,
    level: i % 10 === 0 ? "error" : "info",
    service: `svc-${i % 1_000}`,
    message: `request ${i} of batch ${batch} done in ${i % 97} ms probe${i % 1_000}end`,
    attributes: { user: `u${i % 3_000}` }
  }))

/** ms of CPU per 20,000 lines. */
const cost = (count: number): number => {
  const judge = Judge.make(rules(count))
  const all = Array.from({ length: batches }, (_, i) => lines(i))
  const from = process.cpuUsage()
  for (const [i, events] of all.entries()) {
    judge.batch(events, start + i * 100, `b${i}`)
    judge.changes()
  }
  const { system, user } = process.cpuUsage(from)
  return (((user + system) / 1_000) * 20_000) / (batches * batchLines)
}

export const rulesBench: Bench = {
  name: "rules",
  about: "ms of CPU to judge 20,000 lines with 1,000 rules, against 10 rules",
  peers: ["10-rules"],
  run: () => {
    const few: Array<number> = []
    const many: Array<number> = []
    for (let round = 0; round < 5; round++) {
      few.push(cost(10))
      many.push(cost(1_000))
    }
    const peer = { name: "10-rules", value: median(few) }
    return Promise.resolve([figure("rules", "20,000 lines, 1,000 rules", "ms", median(many), peer, true)])
  }
}
