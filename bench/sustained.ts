/**
 * A steady stream of lines for a minute into one process that does everything on the same cores: by HTTP, parsed, redacted,
 * templated, judged by 20 rules, stored and indexed. It tells how many lines were stored per second, how far storing lay behind
 * accepting, and how much memory grew; and, beside it, how many of the same rows a bare COPY writes into the same table.
 */
import { readFileSync } from "node:fs"
import postgres from "postgres"
import { type App, ask, makeRoom, startApp } from "../test/support/app.ts"
import { eventually } from "../test/support/eventually.ts"
import { type Bench, type BenchOptions, figure } from "./Bench.ts"
import { lineOf } from "./lines.ts"

const seconds = 60
const wanted = 30_000
const bodyLines = 3_000
const rules = 20
const project = "default"

const makeRules = async (app: App): Promise<void> => {
  const queries = ["level:error", "level:>=warn service:api", "timeout", '"connection reset"', "service:worker retry"]
  for (let i = 0; i < rules; i++) {
    const rule = {
      name: `rule ${i}`,
      type: "threshold",
      query: `${queries[i % queries.length]} ${i < queries.length ? "" : `-"never ${i}"`}`.trim(),
      window: "1 minute",
      threshold: 1_000_000,
      for: "0 seconds"
    }
    const { status } = await ask(app, "POST", "/v1/rules", rule)
    if (status !== 201) throw new Error(`expected a rule to be made, got ${status}`)
  }
}

/** Memory of a process, MiB. */
const memoryOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/u.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1_024

const storedOf = async (databaseUrl: string, schema: string) => {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} })
  const count = async (): Promise<number> => {
    const [row] = await sql<Array<{ n: string }>>`select coalesce(sum(lines), 0)::text as n from ${sql(schema)}.batches
      where project = ${project}`
    return Number(row?.n ?? 0)
  }
  return { count, end: () => sql.end() }
}

/** Sends bodies so that `rate` lines leave in a second, as long as the server takes them; lines that were accepted. */
const pour = async (
  app: App,
  rate: number,
  tell: (second: number, accepted: number) => Promise<void>
): Promise<number> => {
  const headers = { "content-type": "text/plain" }
  const start = performance.now()
  let sent = 0
  let accepted = 0
  let second = 0
  const client = async () => {
    while (performance.now() - start < seconds * 1_000) {
      const due = ((performance.now() - start) / 1_000) * rate
      if (sent > due) {
        await new Promise((done) => setTimeout(done, 5))
        continue
      }
      const from = sent
      sent += bodyLines
      const body = Array.from({ length: bodyLines }, (_, i) => lineOf(from + i, Date.now())).join("\n")
      const { body: answer, status } = await ask<{ accepted: number }>(app, "POST", "/v1/logs", body, headers)
      if (status === 429) await new Promise((done) => setTimeout(done, 200))
      else accepted += answer.accepted
      const now = Math.floor((performance.now() - start) / 1_000)
      if (now > second) await tell((second = now), accepted)
    }
  }
  await Promise.all([client(), client()])
  return accepted
}

/** The same rows by a bare COPY into a table of the same columns and indexes. */
const bareCopy = async (databaseUrl: string, schema: string): Promise<number> => {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} })
  try {
    await sql`create table ${sql(schema)}.bench_copy (like ${sql(schema)}.logs including all)`
    const [{ text } = { text: "" }] = await sql<Array<{ text: string }>>`
      select string_agg(column_name, ', ' order by ordinal_position) as text from information_schema.columns
      where table_schema = ${schema} and table_name = 'logs'`
    await sql.unsafe(`create table ${schema}.bench_rows as select ${text} from ${schema}.logs limit 500000`)
    const rows = await sql.unsafe<Array<{ n: string }>>(`select count(*)::text as n from ${schema}.bench_rows`)
    const parts: Array<Buffer> = []
    const reading = await sql.unsafe(`copy ${schema}.bench_rows (${text}) to stdout`).readable()
    for await (const part of reading) parts.push(part as Buffer)
    const start = performance.now()
    const writing = await sql.unsafe(`copy ${schema}.bench_copy (${text}) from stdin`).writable()
    for (const part of parts) if (!writing.write(part)) await new Promise((done) => writing.once("drain", done))
    await new Promise<void>((done, failed) => {
      writing.on("error", failed).on("finish", () => done())
      writing.end()
    })
    return Number(rows[0]?.n ?? 0) / ((performance.now() - start) / 1_000)
  } finally {
    await sql.end()
  }
}

const run = async (options: BenchOptions) => {
  const room = await makeRoom()
  const app = await startApp(room)
  const kept = await storedOf(options.databaseUrl, room.schema)
  try {
    await makeRules(app)
    const memory: Array<number> = []
    const behind: Array<number> = []
    const start = performance.now()
    const accepted = await pour(app, wanted, async (second, taken) => {
      if (second % 5 !== 0) return
      const done = await kept.count()
      memory.push(memoryOf(app.process.pid ?? 0))
      behind.push(taken - done)
      options.log(`${second} s: ${taken} accepted, ${done} stored, ${Math.round(memory.at(-1) ?? 0)} MiB`)
    })
    await eventually(
      "all lines to be stored",
      async () => ((await kept.count()) >= accepted ? true : undefined),
      120_000
    )
    const rate = accepted / ((performance.now() - start) / 1_000)
    const half = Math.floor(memory.length / 2)
    const growth = Math.max(...memory.slice(half)) - Math.max(...memory.slice(0, half))
    const copy =
      options.vs === undefined || options.vs === "copy" ? await bareCopy(options.databaseUrl, room.schema) : 0
    return [
      figure("sustained", "lines stored", "lines/s", rate, { name: "copy", value: copy }),
      figure("sustained", "behind at worst", "lines", Math.max(...behind)),
      figure("sustained", "memory, 2nd half over 1st", "MiB", growth)
    ]
  } finally {
    await kept.end()
    await app.stop()
    await room.clear()
  }
}

export const sustained: Bench = {
  name: "sustained",
  about: `up to ${wanted.toLocaleString("en")} lines/s for ${seconds} s by HTTP, templated, judged by ${rules} rules and stored, against bare COPY`,
  peers: ["copy"],
  run
}
