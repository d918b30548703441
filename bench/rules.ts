/**
 * What a thousand rules cost beside ten: the CPU of judging alone (each batch matches all of them), and how many lines per second
 * the whole application accepts, judges and stores. A query is a word, a service, a level and a word, or an attribute's value.
 */
import { type App, ask, makeRoom, startApp } from "../test/support/app.ts"
import { eventually } from "../test/support/eventually.ts"
import * as Judge from "../src/alerts/Judge.ts"
import type { LogEvent } from "../src/domain/LogEvent.ts"
import { ProjectId, RuleId } from "../src/domain/Ids.ts"
import type { AlertRule } from "../src/domain/Rule.ts"
import { type Bench, figure, median } from "./Bench.ts"

const start = 1_700_000_000_000
const batchLines = 2_000
const batches = 30

const specs = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    name: `rule ${i}`,
    type: "threshold" as const,
    query: [`probe${i}end`, `service:svc-${i}`, `level:error probe${i}end`, `user:u${i}`][i % 4]!,
    window: "1 minute",
    threshold: 1_000_000
  }))

const rules = (count: number): ReadonlyArray<AlertRule> =>
  specs(count).map((spec, i) => ({
    id: RuleId.make(`r${i}`),
    project: ProjectId.make("bench"),
    enabled: true,
    createdAt: "2026-01-01T00:00:00.000Z",
    ...spec
  }))

const lines = (batch: number, count = batchLines): ReadonlyArray<LogEvent> =>
  Array.from({ length: count }, (_, i) => ({
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

/** Lines of one round, and of one request. */
const roundLines = 200_000
const requestLines = 20_000
const rounds = 4

const bodies = (round: number): ReadonlyArray<string> =>
  Array.from({ length: roundLines / requestLines }, (_, part) =>
    lines(round * 100 + part, requestLines)
      .map(
        ({ attributes, level, message, service }) =>
          `level=${level} service=${service} user=${String(attributes["user"])} msg="${message}"`
      )
      .join("\n")
  )

const stored = async (app: App, project: string): Promise<number> =>
  (await ask<{ lastHour: { total: number } }>(app, "GET", `/v1/stats?project=${project}`)).body.lastHour.total

/** Lines per second from the first byte until all are judged and stored, in projects with so many rules; in turn. */
const throughput = async (counts: ReadonlyArray<number>, log: (line: string) => void) => {
  const app = await startApp(await makeRoom())
  const rates = new Map<number, Array<number>>(counts.map((count) => [count, []]))
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const count of round % 2 === 0 ? counts : counts.toReversed()) {
        const project = `rules-${count}-${round}`
        const header = { "x-loglytics-project": project }
        await ask(app, "POST", "/v1/projects", { id: project, name: project })
        const file = JSON.stringify({ rules: specs(count) })
        await ask(app, "POST", "/v1/rules/import", file, { ...header, "content-type": "application/yaml" })
        const parts = bodies(round)
        const from = performance.now()
        for (const body of parts) await ask(app, "POST", "/v1/logs", body, { ...header, "content-type": "text/plain" })
        await eventually(
          "all lines to be stored",
          async () => ((await stored(app, project)) >= roundLines ? true : undefined),
          120_000
        )
        const rate = roundLines / ((performance.now() - from) / 1_000)
        log(`round ${round}: ${count} rules: ${Math.round(rate)} lines/s`)
        // The first one warms up.
        if (round > 0) rates.get(count)!.push(rate)
      }
    }
    return (count: number) => median(rates.get(count)!)
  } finally {
    await app.stop()
    await app.room.clear()
  }
}

export const rulesBench: Bench = {
  name: "rules",
  about: "CPU of judging 20,000 lines, and lines stored per second, with 1,000 rules against 10",
  peers: ["10-rules"],
  run: async (options) => {
    const few: Array<number> = []
    const many: Array<number> = []
    for (let round = 0; round < 5; round++) {
      few.push(cost(10))
      many.push(cost(1_000))
    }
    const rate = await throughput([10, 1_000], options.log)
    const peer = (value: number) => ({ name: "10-rules", value })
    return [
      figure("rules", "CPU of 20,000 lines, 1,000 rules", "ms", median(many), peer(median(few)), true),
      figure("rules", "stored with 1,000 rules", "lines/s", rate(1_000), peer(rate(10)))
    ]
  }
}
