/**
 * A stand-in for the server that speaks the dashboard's part of the HTTP API and of `/live`, for work on the page and for
 * tests of what a real server does seldom: refusing, falling silent, skipping, sending 5,000 lines a second. It keeps
 * everything in memory. Run it: `node test/web/support/mock.ts [port]`, then open the address that it prints.
 */
import { readFile } from "node:fs/promises"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { extname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { type WebSocket, WebSocketServer } from "ws"
import { asLogEvent, type LogEvent, type StoredEvent } from "../../../src/domain/LogEvent.ts"
import * as Query from "../../../src/domain/Query.ts"
import * as fixtures from "./fixtures.ts"

export interface Mock {
  readonly url: string
  readonly key: string
  readonly send: (lines: ReadonlyArray<string>) => Promise<void>
  /** Sends made-up lines, so many a second, until the returned function is called; it says how many went out. */
  readonly flood: (perSecond: number) => () => number
  /** Tells the tail that this many lines were left out. */
  readonly skip: (count: number) => void
  /** Answers nothing from now on (connections are cut), or again. */
  readonly silence: (silent: boolean) => void
  /** How often the page has signed in on /live. */
  readonly signIns: () => number
  readonly stop: () => Promise<void>
}

export interface MockOptions {
  readonly port?: number
  /** Lines that exist from the start. */
  readonly lines?: number
  /** No logs, rules, alerts, jobs or queues. */
  readonly empty?: boolean
}

const dist = fileURLToPath(new URL("../../../web/dist/", import.meta.url))
const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml"
}
const projects = ["default", "loglytics"].map((id) => ({
  id,
  name: id === "default" ? "Default" : "Loglytics itself",
  createdAt: "2026-11-01T00:00:00.000Z"
}))
const logsMax = 20_000

interface Tail {
  readonly project: string
  readonly matches: (event: LogEvent) => boolean
}

/** The page, or its index for the addresses of its router. */
const page = async (path: string, response: ServerResponse): Promise<void> => {
  const name = extname(path) === "" ? "index.html" : path.slice(1)
  try {
    const body = await readFile(join(dist, name))
    response.writeHead(200, {
      "content-type": types[extname(name)] ?? "application/octet-stream",
      "content-security-policy": "default-src 'self'; style-src 'self' 'unsafe-inline'"
    })
    response.end(body)
  } catch {
    response.writeHead(404).end("not found")
  }
}

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

class Answer {
  readonly status: number
  readonly body: unknown
  constructor(status: number, body?: unknown) {
    this.status = status
    this.body = body
  }
}
const ok = (body: unknown) => new Answer(200, body)

export const startMock = async ({ empty = false, lines = 2_000, port = 0 }: MockOptions = {}): Promise<Mock> => {
  const key = "lg_test_key"
  const begun = Date.now()
  const make = fixtures.eventMaker(7)
  const none = <T>(some: ReadonlyArray<T>): ReadonlyArray<T> => (empty ? [] : some)
  const notifications = fixtures.notifications("default", begun)
  const tails = new Map<WebSocket, Tail | undefined>()
  let logs: Array<StoredEvent> = []
  let ids = 0
  let signIns = 0
  let silent = false

  const store = (events: ReadonlyArray<StoredEvent>): void => {
    logs = logs.concat(events).slice(-logsMax)
    const seq = `${Date.now()}-${ids}`
    for (const [socket, tail] of tails) {
      if (tail === undefined) continue
      const data = events.filter((event) => event.project === tail.project && tail.matches(asLogEvent(event)))
      if (data.length > 0) socket.send(JSON.stringify({ type: "event", topic: "tail", seq, data }))
    }
  }
  const say = (project: string, line: string): StoredEvent => {
    const at = Date.now()
    const [, level = "unknown", rest = line] = /^level=(\w+) (.*)$/u.exec(line) ?? []
    return {
      ...make(++ids, project, at),
      level: level as StoredEvent["level"],
      service: "test",
      message: rest,
      attributes: { note: "sent" }
    }
  }
  if (!empty) {
    const span = 3_600_000
    for (let n = 0; n < lines; n++) logs.push(make(++ids, "default", begun - span + (span * (n + 1)) / lines))
  }

  const search = (project: string, params: URLSearchParams): Answer => {
    const parsed = Query.parse(params.get("q") ?? "")
    if (!parsed.ok) {
      return new Answer(422, {
        _tag: "Invalid",
        message: `q: expected ${parsed.expected}, got ${parsed.got}, at ${parsed.position}`,
        issues: []
      })
    }
    const matches = Query.compile(parsed.query)
    const limit = Number(params.get("limit") ?? 100)
    const before = Number(params.get("cursor") ?? Infinity)
    const to = Number(params.get("to") ?? Infinity)
    const found = logs
      .filter((event) => event.project === project && Number(event.id) < before && Date.parse(event.time) < to)
      .filter((event) => matches(asLogEvent(event)))
      .toReversed()
    return ok({ events: found.slice(0, limit), next: found.length > limit ? found[limit - 1]!.id : null })
  }
  const stats = (project: string): Answer => {
    const now = Date.now()
    const first = Math.floor(now / 60_000) - 59
    const buckets = Array.from({ length: 60 }, (_, n) => ({
      at: new Date((first + n) * 60_000).toISOString(),
      total: 0,
      errors: 0
    }))
    const byLevel: Record<string, number> = {}
    for (const event of logs) {
      const bucket = buckets[Math.floor(Date.parse(event.observedAt) / 60_000) - first]
      if (event.project !== project || bucket === undefined) continue
      bucket.total++
      if (event.level === "error" || event.level === "fatal") bucket.errors++
      byLevel[event.level] = (byLevel[event.level] ?? 0) + 1
    }
    return ok({ project, lastHour: { total: buckets.reduce((sum, { total }) => sum + total, 0), byLevel, buckets } })
  }
  const answer = async (request: IncomingMessage, url: URL): Promise<Answer> => {
    const { pathname, searchParams } = url
    if (pathname === "/health") {
      return ok({
        status: "ok",
        checks: ["redis", "postgres", "pipeline"].map((name) => ({ name, ok: true, detail: "answers in 1 ms" }))
      })
    }
    if (request.headers.authorization !== `Bearer ${key}`) {
      return new Answer(401, { _tag: "Unauthorized", message: "expected a valid API key" })
    }
    const project = String(request.headers["x-loglytics-project"] ?? searchParams.get("project") ?? "default")
    if (request.method === "POST") {
      const body = await bodyOf(request)
      const read = /^\/v1\/notifications\/([\w-]+)\/read$/u.exec(pathname)?.[1]
      for (const item of notifications) if (item.id === read) item.readAt = new Date().toISOString()
      if (read !== undefined) return new Answer(204)
      const said = body.split("\n").filter((line) => line !== "")
      store(said.map((line) => say(project, line)))
      return new Answer(202, { accepted: said.length, rejected: [], rejectedTotal: 0 })
    }
    const state = searchParams.get("state")
    const own = project === "default"
    const routes: Readonly<Record<string, () => Answer>> = {
      "/v1/projects": () => ok(projects),
      "/v1/logs": () => search(project, searchParams),
      "/v1/stats": () => stats(project),
      "/v1/queues": () => ok(none(fixtures.queues)),
      "/v1/jobs": () => ok(none(fixtures.jobs(begun))),
      "/v1/workers": () => ok(none(fixtures.workers(Date.now()))),
      "/v1/rules": () => ok(own ? none(fixtures.rules(project, begun)) : []),
      "/v1/alerts": () =>
        ok(own ? none(fixtures.alerts(project, begun)).filter((alert) => state === null || alert.state === state) : []),
      "/v1/notifications": () => ok(own ? none(notifications) : [])
    }
    return routes[pathname]?.() ?? new Answer(404, { _tag: "NotFound", message: `no ${pathname}` })
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost")
    if (silent) return void request.socket.destroy()
    if (!url.pathname.startsWith("/v1/") && url.pathname !== "/health") return void page(url.pathname, response)
    void answer(request, url).then(({ body, status }) => {
      response
        .writeHead(status, { "content-type": "application/json" })
        .end(body === undefined ? undefined : JSON.stringify(body))
    })
  })
  const gateway = new WebSocketServer({ noServer: true })
  server.on("upgrade", (request, socket, head) => {
    if (silent) return void socket.destroy()
    gateway.handleUpgrade(request, socket, head, (client) => {
      tails.set(client, undefined)
      client.on("close", () => tails.delete(client))
      client.on("message", (raw: Buffer) => hear(client, JSON.parse(raw.toString()) as Record<string, string>))
    })
  })

  const hear = (client: WebSocket, message: Record<string, string>): void => {
    const write = (body: unknown): void => client.send(JSON.stringify(body))
    const { after, key: given, project = "default", query = "", topic, type } = message
    if (type === "ping") return write({ type: "pong" })
    if (type === "auth") {
      if (given !== key) {
        write({ type: "error", code: "unauthorized", message: "expected a valid API key" })
        return client.close(4401)
      }
      signIns++
      return write({ type: "ready", projects: "*" })
    }
    if (type === "unsubscribe") return topic === "tail" ? void tails.set(client, undefined) : undefined
    const seq = `${Date.now()}-${ids}`
    const snapshot = (data: ReadonlyArray<unknown>): void => write({ type: "snapshot", topic, seq, data })
    if (topic === "jobs") return snapshot(none(fixtures.jobs(begun)).toReversed())
    if (topic === "alerts")
      return snapshot(project === "default" ? none(fixtures.alerts(project, begun)).toReversed() : [])
    if (topic === "notifications") return snapshot(project === "default" ? none(notifications).toReversed() : [])
    const parsed = Query.parse(query)
    if (!parsed.ok)
      return write({
        type: "error",
        code: "invalid",
        message: `query at ${parsed.position}: expected ${parsed.expected}, got ${parsed.got}`
      })
    const matches = Query.compile(parsed.query)
    tails.set(client, { project, matches })
    const mine = logs.filter((event) => event.project === project && matches(asLogEvent(event)))
    const since = Number(after?.split("-")[1] ?? Number.NaN)
    if (Number.isNaN(since)) return snapshot(mine.slice(-200))
    write({ type: "event", topic, seq, data: mine.filter(({ id }) => Number(id) > since) })
  }

  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve))
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : port}`
  return {
    url,
    key,
    send: async (said) => store(said.map((line) => say("default", line))),
    flood: (perSecond) => {
      const from = Date.now()
      let sent = 0
      const timer = setInterval(() => {
        const due = Math.floor(((Date.now() - from) / 1_000) * perSecond) - sent
        const at = Date.now()
        store(Array.from({ length: due }, () => make(++ids, "default", at)))
        sent += due
      }, 20)
      return () => {
        clearInterval(timer)
        return sent
      }
    },
    skip: (count) => {
      for (const [socket, tail] of tails)
        if (tail !== undefined) socket.send(JSON.stringify({ type: "skipped", topic: "tail", count }))
    },
    silence: (now) => {
      silent = now
      if (now) {
        for (const socket of tails.keys()) socket.terminate()
        server.closeAllConnections()
      }
    },
    signIns: () => signIns,
    stop: async () => {
      for (const socket of tails.keys()) socket.terminate()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}

if (import.meta.main) {
  const mock = await startMock({ port: Number(process.argv[2] ?? 8090), empty: process.argv.includes("--empty") })
  if (!process.argv.includes("--still")) mock.flood(Number(process.env["RATE"] ?? 4))
  process.stdout.write(`${mock.url}/#key=${mock.key}\n`)
}
