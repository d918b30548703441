/**
 * Search in many stored lines: rare words and ids, filters with the newest hundred, histograms of a day; and the bytes that a
 * line costs on disk. Against what one would build by hand in the same Postgres: a plain table with a btree by time and a GIN
 * index of words (tsvector). The peer finds whole words only, so it is asked for nothing else; times are warm.
 */
import { Effect, Layer, ManagedRuntime, Redacted } from "effect"
import postgres from "postgres"
import type { LogEvent } from "../src/domain/LogEvent.ts"
import type { Level } from "../src/domain/Level.ts"
import { defaultProject } from "../src/domain/Project.ts"
import * as Query from "../src/domain/Query.ts"
import { Database } from "../src/store/Database.ts"
import { type LogBatch, Logs } from "../src/store/Logs.ts"
import * as Migrations from "../src/store/Migrations.ts"
import { type Bench, type BenchOptions, type Figure, figure } from "./Bench.ts"

const linesDefault = 5_000_000
const batchLines = 500
const batchesPerCall = 16
const schema = "bench_search"
const day = Date.UTC(2026, 0, 15)
const dayMs = 86_400_000
/** Lines between two that hold a word of their own. */
const markerEvery = 25_000
const repeats = 100

/** Numbers from a seed (mulberry32): the same lines in every run. */
const random = (seed: number) => {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const int = (below: number): number => Math.floor(next() * below)
  return {
    int,
    hex: (digits: number): string => {
      let out = ""
      while (out.length < digits) out += int(0x1000000).toString(16).padStart(6, "0")
      return out.slice(0, digits)
    },
    pick: <A>(from: ReadonlyArray<A>): A => from[int(from.length)]!
  }
}
type Random = ReturnType<typeof random>

const services = ["api", "checkout", "auth", "search", "billing", "mailer", "gateway", "inventory", "reports", "cron"]
const routes = ["/v1/orders", "/v1/users", "/v1/carts", "/v1/payments", "/v1/search", "/health", "/v1/items"]
const ip = (r: Random): string => `10.${r.int(200)}.${r.int(256)}.${r.int(256)}`

/** Messages in the manner of services, file systems, kernels and access logs. */
const messages: ReadonlyArray<(r: Random) => string> = [
  (r) => `request ${r.hex(16)} to ${r.pick(routes)} took ${r.int(900)} ms`,
  (r) => `Received block blk_-${r.int(1e9)}${r.int(1e9)} of size 67108864 from /${ip(r)}`,
  (r) => `PacketResponder ${r.int(3)} for block blk_${r.int(1e9)}${r.int(1e9)} terminating`,
  (r) =>
    `Failed password for invalid user ${r.pick(["admin", "oracle", "test", "guest"])} from ${ip(r)} port ${r.int(65_000)} ssh2`,
  (r) => `Connection closed by ${ip(r)} [preauth] after ${r.int(400)} bytes`,
  (r) => `order ${10_000_000 + r.int(89_999_999)} is paid, receipt mailed to customer ${r.int(500_000)}`,
  (r) => `cache miss for key session:${r.hex(24)}, loading from the primary`,
  (r) =>
    `Starting task ${r.int(500)}.0 in stage ${r.int(90)}.0 (TID ${r.int(99_999)}, executor ${r.int(20)}, partition ${r.int(500)})`,
  (r) =>
    `${ip(r)} "GET ${r.pick(routes)}/${r.int(1e6)} HTTP/1.1" ${r.pick([200, 200, 200, 304, 404, 500])} ${r.int(9_000)}`,
  (r) => `upstream timed out (110: Connection timed out) while reading response header, client: ${ip(r)}`,
  (r) => `retrying in ${r.int(30)} s: deadline exceeded while calling inventory.Reserve(${r.hex(8)})`,
  (r) => `worker ${r.int(64)} heartbeat ok, queue depth ${r.int(1_000)}, lag ${r.int(90)} ms`
]
const levelOf = (n: number): Level => (n < 80 ? "info" : n < 90 ? "debug" : n < 96 ? "warn" : "error")

const marker = (line: number): string => `quixotic${line.toString(36)}zephyr`

/** The n-th line, and how many bytes it was before it was parsed. */
const lineOf = (r: Random, n: number, lines: number): { readonly event: LogEvent; readonly bytes: number } => {
  const time = day + Math.floor((n / lines) * dayMs)
  const said = r.pick(messages)(r)
  const message = n % markerEvery === 0 ? `${said} ${marker(n)}` : said
  const service = r.pick(services)
  const level = levelOf(r.int(100))
  const structured = r.int(3) > 0
  const attributes = structured
    ? {
        "host.name": `node-${r.int(40)}`,
        "http.response.status_code": r.pick([200, 200, 201, 404, 500]),
        duration_ms: r.int(2_000),
        "user.id": String(r.int(200_000))
      }
    : { "process.pid": r.int(32_000) }
  const traceId = r.int(4) === 0 ? r.hex(32) : undefined
  const raw = structured
    ? JSON.stringify({ time: new Date(time).toISOString(), level, service, ...attributes, trace_id: traceId, message })
    : `${new Date(time).toISOString()} ${level.toUpperCase()} ${service}[${attributes["process.pid"]}]: ${message}`
  const event = { time, level, service, message, attributes, ...(traceId !== undefined && { traceId }) }
  return { event, bytes: raw.length + 1 }
}

/** Questions with what answers them alone. */
interface Needles {
  readonly markers: Array<string>
  readonly requests: Array<string>
  readonly orders: Array<string>
  readonly traces: Array<string>
}

type Runtime = ManagedRuntime.ManagedRuntime<Logs | Database, unknown>

const load = async (runtime: Runtime, lines: number, options: BenchOptions) => {
  const r = random(42)
  const needles: Needles = { markers: [], requests: [], orders: [], traces: [] }
  const keep = (list: Array<string>, found: string | undefined, n: number): void => {
    if (found !== undefined && list.length < 2 * repeats && n % Math.ceil(lines / 4_000) < 12) list.push(found)
  }
  let raw = 0
  let storing = 0
  let made = 0
  const perCall = batchLines * batchesPerCall
  for (let at = 0; at < lines; at += perCall) {
    const batches: Array<LogBatch> = []
    for (let from = at; from < Math.min(lines, at + perCall); from += batchLines) {
      const events: Array<LogEvent> = []
      for (let n = from; n < Math.min(lines, from + batchLines); n++) {
        const { bytes, event } = lineOf(r, n, lines)
        raw += bytes
        events.push(event)
        if (n % markerEvery === 0) needles.markers.push(marker(n))
        keep(needles.requests, /request ([0-9a-f]{16})/u.exec(event.message)?.[1], n)
        keep(needles.orders, /order (\d{8})/u.exec(event.message)?.[1], n)
        keep(needles.traces, event.traceId, n)
      }
      batches.push({ id: `bench-${from}`, project: defaultProject, observedAt: events.at(-1)!.time, events })
    }
    const before = performance.now()
    const start = process.cpuUsage()
    await runtime.runPromise(Effect.flatMap(Logs, (logs) => logs.append(batches)))
    const used = process.cpuUsage(start)
    made += used.user + used.system
    storing += performance.now() - before
    if ((at / perCall) % 25 === 0) options.log(`${(at / 1e6).toFixed(1)} of ${lines / 1e6} M lines stored`)
  }
  return { raw, needles, perSecond: lines / (storing / 1_000), cpuMicros: made / lines }
}

interface Times {
  readonly p50: number
  readonly p95: number
}

const timed = async (run: (n: number) => Promise<unknown>): Promise<Times> => {
  for (let n = 0; n < 5; n++) await run(n)
  const times: Array<number> = []
  for (let n = 0; n < repeats; n++) {
    const start = performance.now()
    await run(n)
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  return { p50: times[Math.floor(repeats * 0.5)]!, p95: times[Math.floor(repeats * 0.95)]! }
}

const parsed = (text: string): Query.Query => {
  const result = Query.parse(text)
  if (!result.ok) throw new Error(`${text}: expected ${result.expected}, got ${result.got}`)
  return result.query
}

/** A question to both: ours as a query, the peer's as SQL on `bench_peer` (undefined: it has no index for it). */
interface Question {
  readonly name: string
  readonly query: (n: number) => string
  readonly peer: ((sql: postgres.Sql, n: number) => Promise<unknown>) | undefined
  /** How many lines must come. */
  readonly expected: number
}

const questions = ({ markers, orders, requests, traces }: Needles): ReadonlyArray<Question> => {
  const of = (list: ReadonlyArray<string>, n: number): string => list[n % list.length]!
  const words = (list: ReadonlyArray<string>) => (sql: postgres.Sql, n: number) =>
    sql`select * from bench_peer where project = 'default' and words @@ plainto_tsquery('simple', ${of(list, n)})
        order by time desc, seq desc limit 100`
  return [
    { name: "rare word", query: (n) => of(markers, n), peer: words(markers), expected: 1 },
    { name: "id of 16 hex", query: (n) => of(requests, n), peer: words(requests), expected: 1 },
    { name: "id of 8 digits", query: (n) => of(orders, n), peer: words(orders), expected: 1 },
    { name: "part of an id", query: (n) => of(requests, n).slice(2, 14), peer: undefined, expected: 1 },
    { name: "trace id", query: (n) => `trace_id:${of(traces, n)}`, peer: undefined, expected: 1 },
    { name: "word that is nowhere", query: (n) => `xylophone${n}`, peer: undefined, expected: 0 },
    {
      name: "level + service, newest 100",
      query: (n) => `level:>=error service:${of(services, n)}`,
      peer: (sql, n) =>
        sql`select * from bench_peer where project = 'default' and level >= 17 and service = ${of(services, n)}
            order by time desc, seq desc limit 100`,
      expected: 100
    },
    {
      name: "attribute + word, newest 100",
      query: () => "http.response.status_code:>=500 timed",
      peer: (sql) =>
        sql`select * from bench_peer where project = 'default' and words @@ plainto_tsquery('simple', 'timed')
            and (attributes->>'http.response.status_code')::float8 >= 500 order by time desc, seq desc limit 100`,
      expected: 100
    },
    {
      name: "attribute value, newest 100",
      query: (n) => `host.name:node-${n % 40}`,
      peer: (sql, n) =>
        sql`select * from bench_peer where project = 'default' and attributes->>'host.name' = ${`node-${n % 40}`}
            order by time desc, seq desc limit 100`,
      expected: 100
    }
  ]
}

const peerTable = async (sql: postgres.Sql, options: BenchOptions): Promise<void> => {
  options.log("the peer's table: rows, btree, GIN tsvector")
  await sql`drop table if exists bench_peer`
  await sql`create table bench_peer (project text not null, time timestamptz not null, observed_at timestamptz not null,
    seq bigint not null, level smallint not null, service text not null, message text not null, attributes jsonb not null,
    trace_id text, span_id text, words tsvector)`
  await sql`insert into bench_peer select project, time, observed_at, seq, level, service, message, attributes, trace_id,
    span_id, to_tsvector('simple', message) from logs`
  await sql`create index on bench_peer (project, time desc, seq desc)`
  await sql`create index on bench_peer using gin (words)`
  await sql`vacuum analyze bench_peer`
}

const sizes = async (sql: postgres.Sql) => {
  const [row] = await sql<Array<{ ours: string; blocks: string; peer: string | null }>>`
    select (select sum(pg_total_relation_size(inhrelid)) from pg_inherits where inhparent = 'logs'::regclass)
        + pg_total_relation_size('blocks') + pg_total_relation_size('batches') + pg_total_relation_size('log_minutes')
        + pg_total_relation_size('log_fields') as ours,
      pg_total_relation_size('blocks') as blocks, pg_total_relation_size(to_regclass('bench_peer')) as peer`
  return {
    ours: Number(row!.ours),
    blocks: Number(row!.blocks),
    peer: row!.peer === null ? undefined : Number(row!.peer)
  }
}

const compare = (metric: string, ours: Times, peer: Times | undefined): ReadonlyArray<Figure> =>
  (["p50", "p95"] as const).map((p) =>
    figure("search", `${metric}, ${p}`, "ms", ours[p], peer && { name: "tsvector", value: peer[p] }, true)
  )

const measure = async (runtime: Runtime, sql: postgres.Sql, needles: Needles, vs: boolean, options: BenchOptions) => {
  const figures: Array<Figure> = []
  for (const { expected, name, peer, query } of questions(needles)) {
    const ours = await timed(async (n) => {
      const page = await runtime.runPromise(
        Effect.flatMap(Logs, (logs) => logs.search({ project: defaultProject, query: parsed(query(n)), limit: 100 }))
      )
      // Digits may stand in longer numbers as well.
      if (name === "id of 8 digits" ? page.events.length < expected : page.events.length !== expected) {
        throw new Error(`${query(n)}: expected ${expected} lines, got ${page.events.length}`)
      }
    })
    const theirs = vs && peer !== undefined ? await timed((n) => peer(sql, n)) : undefined
    figures.push(...compare(name, ours, theirs))
    options.log(`${name}: p50 ${ours.p50.toFixed(1)} p95 ${ours.p95.toFixed(1)} ms`)
  }
  const histograms = [
    ["histogram of a day", ""],
    ["histogram, level:error", "level:error"],
    ["histogram, rare word", needles.markers[1]!]
  ] as const
  for (const [name, text] of histograms) {
    const ours = await timed(() =>
      runtime.runPromise(
        Effect.flatMap(Logs, (logs) =>
          logs.timeline({
            project: defaultProject,
            query: parsed(text),
            from: day,
            to: day + dayMs,
            bucketMs: 600_000
          })
        )
      )
    )
    const level = text.startsWith("level") ? sql`level = 17` : sql`true`
    const theirs =
      vs && !name.includes("rare")
        ? await timedOnce(
            () => sql`select date_bin('10 minutes', time, '2026-01-15') as at, level, count(*)
        from bench_peer where project = 'default' and time >= ${new Date(day)} and time < ${new Date(day + dayMs)} and ${level}
        group by 1, 2`
          )
        : undefined
    figures.push(...compare(name, ours, theirs))
    options.log(`${name}: p50 ${ours.p50.toFixed(1)} p95 ${ours.p95.toFixed(1)} ms`)
  }
  return figures
}

/** For what takes seconds: three runs. */
const timedOnce = async (run: () => Promise<unknown>): Promise<Times> => {
  const times: Array<number> = []
  for (let n = 0; n < 3; n++) {
    const start = performance.now()
    await run()
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  return { p50: times[1]!, p95: times[2]! }
}

const run = async (options: BenchOptions): Promise<ReadonlyArray<Figure>> => {
  const lines = options.lines ?? linesDefault
  const url = Redacted.make(options.databaseUrl)
  const runtime = ManagedRuntime.make(
    Logs.layer.pipe(
      Layer.provideMerge(Migrations.layer),
      Layer.provideMerge(Database.layer({ url, schema, readTimeoutMs: 60_000 }))
    )
  )
  const sql = postgres(options.databaseUrl, {
    max: 1,
    onnotice: () => {},
    connection: { search_path: schema, TimeZone: "UTC" }
  })
  try {
    await sql`drop schema if exists ${sql(schema)} cascade`
    const { cpuMicros, needles, perSecond, raw } = await load(runtime, lines, options)
    await sql`analyze blocks`
    const vs = options.vs !== "none"
    if (vs) await peerTable(sql, options)
    const figures = await measure(runtime, sql, needles, vs, options)
    const { blocks, ours, peer } = await sizes(sql)
    return [
      figure("search", "lines stored", "lines/s", perSecond),
      figure("search", "CPU of Node per stored line", "µs", cpuMicros),
      ...figures,
      figure(
        "search",
        "bytes on disk per raw byte",
        "",
        ours / raw,
        peer === undefined ? undefined : { name: "tsvector", value: peer / raw },
        true
      ),
      figure("search", "of these the blocks", "", blocks / raw),
      figure("search", "raw bytes per line", "bytes", raw / lines)
    ]
  } finally {
    await sql.end()
    await runtime.dispose()
  }
}

export const search: Bench = {
  name: "search",
  about: "5,000,000 lines (--lines N): words, ids, filters, histograms and bytes on disk, against btree + GIN tsvector",
  peers: ["tsvector", "none"],
  run
}
