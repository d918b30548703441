/**
 * Lines per second by way of POST /v1/logs: until all are accepted, and until all are stored, by one process that runs
 * everything. Against the raw limit of the same machine in the same run: a bare node:http server that only counts lines,
 * and a bare COPY of rows as wide into a table of the same shape.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import postgres from "postgres"
import { type App, ask, makeRoom, startApp } from "../test/support/app.ts"
import { eventually } from "../test/support/eventually.ts"
import { type Bench, type BenchOptions, figure, median } from "./Bench.ts"

const lines = 100_000
const rounds = 3

/** Lines as services write them: JSON, access log and plain, in turn. */
const input = (): string => {
  const at = Date.UTC(2026, 0, 1)
  const levels = ["info", "info", "info", "warn", "error"]
  return Array.from({ length: lines }, (_, i) => {
    const time = new Date(at + i * 10).toISOString()
    const level = levels[i % levels.length]
    if (i % 3 === 0) {
      return JSON.stringify({
        time,
        level,
        service: "api",
        message: `request ${i} took ${i % 900} ms`,
        user: i % 5_000,
        route: "/v1/orders"
      })
    }
    return i % 3 === 1
      ? `${time.slice(0, 19).replace("T", " ")},${time.slice(20, 23)} ${level?.toUpperCase()} [worker-${i % 8}] com.example.Orders: order ${i} is done`
      : `192.0.2.${i % 250} - - [01/Jan/2026:00:${String((i >> 6) % 60).padStart(2, "0")}:00 +0000] "GET /v1/orders/${i} HTTP/1.1" 200 ${i % 5_000} "-" "curl/8.0"`
  }).join("\n")
}

const timed = async (run: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await run()
  return lines / ((performance.now() - start) / 1_000)
}

const bareServer = `
const http = require("node:http")
http.createServer(async (request, response) => {
  let n = 0, rest = ""
  request.setEncoding("utf8")
  for await (const chunk of request) { const parts = (rest + chunk).split("\\n"); rest = parts.pop(); n += parts.length }
  response.end(JSON.stringify({ accepted: n + (rest ? 1 : 0) }))
}).listen(0, "127.0.0.1", function () { console.log(this.address().port) })`

const bareHttp = async (body: string): Promise<number> => {
  const child = spawn(process.execPath, ["-e", bareServer], { stdio: ["ignore", "pipe", "inherit"] })
  const [port] = (await once(child.stdout, "data")) as [Buffer]
  const url = `http://127.0.0.1:${String(port).trim()}`
  try {
    await fetch(url, { method: "POST", body: "warm up" })
    const rates: Array<number> = []
    for (let round = 0; round < rounds; round++) {
      rates.push(await timed(() => fetch(url, { method: "POST", body }).then((response) => response.text())))
    }
    return median(rates)
  } finally {
    child.kill()
  }
}

const bareCopy = async (databaseUrl: string, body: string): Promise<number> => {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} })
  const now = new Date().toISOString()
  const rows = body
    .split("\n")
    .map((line, i) => `default\t${now}\t${now}\t9\tapi\t${line.replaceAll("\\", "\\\\")}\t{}\t\\N\t\\N\t${i}\n`)
  try {
    await sql`create temporary table bench_logs (project text, time timestamptz, observed_at timestamptz, level smallint,
      service text, message text, attributes jsonb, trace_id text, span_id text, seq bigint)`
    await sql`create index on bench_logs (project, time desc, seq desc)`
    const rates: Array<number> = []
    for (let round = 0; round < rounds; round++) {
      await sql`truncate bench_logs`
      rates.push(
        await timed(async () => pipeline(Readable.from(rows), await sql`copy bench_logs from stdin`.writable()))
      )
    }
    return median(rates)
  } finally {
    await sql.end()
  }
}

const stored = async (app: App, project: string): Promise<number> =>
  (await ask<{ lastHour: { total: number } }>(app, "GET", `/v1/stats?project=${project}`)).body.lastHour.total

const ours = async (options: BenchOptions, body: string) => {
  const app = await startApp(await makeRoom())
  try {
    const acceptedRates: Array<number> = []
    const storedRates: Array<number> = []
    for (let round = 0; round < rounds; round++) {
      const project = `round-${round}`
      await ask(app, "POST", "/v1/projects", { id: project, name: project })
      const start = performance.now()
      acceptedRates.push(await timed(() => ask(app, "POST", "/v1/logs", body, { "x-loglytics-project": project })))
      await eventually(
        "all lines to be stored",
        async () => ((await stored(app, project)) >= lines ? true : undefined),
        120_000
      )
      storedRates.push(lines / ((performance.now() - start) / 1_000))
      options.log(
        `round ${round + 1}: ${Math.round(acceptedRates.at(-1) ?? 0)} accepted/s, ${Math.round(storedRates.at(-1) ?? 0)} stored/s`
      )
    }
    return { accepted: median(acceptedRates), stored: median(storedRates) }
  } finally {
    await app.stop()
    await app.room.clear()
  }
}

export const ingest: Bench = {
  name: "ingest",
  about: `${lines.toLocaleString("en")} lines by HTTP: accepted and stored per second, against bare node:http and bare COPY`,
  peers: ["node-http", "copy"],
  run: async (options) => {
    const body = input()
    const mine = await ours(options, body)
    const figures = []
    if (options.vs === undefined || options.vs === "node-http") {
      const value = await bareHttp(body)
      figures.push(figure("ingest", "lines accepted", "lines/s", mine.accepted, { name: "node-http", value }))
    }
    if (options.vs === undefined || options.vs === "copy") {
      const value = await bareCopy(options.databaseUrl, body)
      figures.push(figure("ingest", "lines stored", "lines/s", mine.stored, { name: "copy", value }))
    }
    return figures
  }
}
