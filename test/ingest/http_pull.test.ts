import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { noSecrets, SourceError } from "../../src/ingest/Source.ts"
import { http_pull, pollMax } from "../../src/ingest/sources/http_pull.ts"

let server: Server
let base = ""
let file = Buffer.alloc(0)
let etag: string | undefined
let requests: Array<{ readonly range: string | undefined; readonly path: string | undefined }> = []
/** How the server behaves: as servers of files do, unless a test says otherwise. */
let behave: (request: IncomingMessage, response: ServerResponse) => void

const ranged = (request: IncomingMessage, response: ServerResponse): void => {
  if (etag !== undefined && request.headers["if-none-match"] === etag) return void response.writeHead(304).end()
  const from = Number(/^bytes=(\d+)-$/u.exec(request.headers.range ?? "")?.[1] ?? 0)
  const headers = etag === undefined ? {} : { etag }
  if (from >= file.length) return void response.writeHead(416, { "content-range": `bytes */${file.length}` }).end()
  response
    .writeHead(206, { ...headers, "content-range": `bytes ${from}-${file.length - 1}/${file.length}` })
    .end(file.subarray(from))
}

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push({ range: request.headers.range, path: request.url })
    behave(request, response)
  })
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
})
beforeEach(() => {
  behave = ranged
  file = Buffer.alloc(0)
  etag = undefined
  requests = []
})

const ask = (cursor: string | null, config: Record<string, string> = {}, allowPrivate = true) =>
  http_pull.poll({
    config: { url: `${base}/app.log`, ...config },
    secrets: noSecrets,
    cursor,
    now: 0,
    limits: { events: 100, allowPrivate }
  })
/** A poll whose events are told by their lines, which is all that they hold. */
const poll = (cursor: string | null, config: Record<string, string> = {}) =>
  Effect.map(ask(cursor, config), ({ cursor: next, events, more }) => {
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
    return { lines: events.map(({ event }) => event.line ?? ""), cursor: next, more }
  })
const refused = (config: Record<string, string> = {}) => Effect.flip(poll(null, config))

describe("http_pull", () => {
  it.effect("takes whole lines, each once, as the file grows", () =>
    Effect.gen(function* () {
      const empty = yield* poll(null)
      expect(empty.lines).toEqual([])
      file = Buffer.from("one\r\ntwo\n\nthr")
      const first = yield* poll(empty.cursor)
      expect(first).toMatchObject({ lines: ["one", "two"], more: false })
      expect((yield* poll(first.cursor)).lines).toEqual([])
      const long = "x".repeat(1000)
      file = Buffer.concat([file, Buffer.from(`ee é\n${long}\n`)])
      const second = yield* poll(first.cursor)
      expect(second.lines).toEqual(["three é", long])
      expect((yield* poll(second.cursor)).lines).toEqual([])
      expect(requests.at(-1)?.range).toBe(`bytes=${file.length - 64}-`)
    })
  )

  it.effect("starts anew when the file was replaced by a shorter or another one", () =>
    Effect.gen(function* () {
      file = Buffer.from("old one\nold two\n")
      const first = yield* poll(null)
      file = Buffer.from("new\n")
      const shorter = yield* poll(first.cursor)
      expect(shorter.lines).toEqual(["new"])
      file = Buffer.from("other lines, longer than what was before\nx\n")
      expect((yield* poll(shorter.cursor)).lines).toEqual(["other lines, longer than what was before", "x"])
    })
  )

  it.effect("is told by ETag that nothing is new", () =>
    Effect.gen(function* () {
      file = Buffer.from("a\npart")
      etag = '"1"'
      const first = yield* poll(null)
      const same = yield* poll(first.cursor)
      expect(same).toEqual({ lines: [], cursor: first.cursor, more: false })
      file = Buffer.from("a\npartial\n")
      etag = '"2"'
      expect((yield* poll(first.cursor)).lines).toEqual(["partial"])
    })
  )

  it.effect("works with a server that knows no Range", () =>
    Effect.gen(function* () {
      behave = (_, response) => void response.writeHead(200).end(file)
      file = Buffer.from("a\nb\n")
      const first = yield* poll(null)
      file = Buffer.from("a\nb\nc\n")
      const second = yield* poll(first.cursor)
      expect([first.lines, second.lines]).toEqual([["a", "b"], ["c"]])
      file = Buffer.from("z\n")
      expect((yield* poll(second.cursor)).lines).toEqual(["z"])
    })
  )

  it.effect("takes a big file in pieces, and cuts a line that never ends", () =>
    Effect.gen(function* () {
      const line = `${"x".repeat(999)}\n`
      file = Buffer.from(line.repeat(9000))
      let cursor: string | null = null
      let lines = 0
      for (let more = true; more;) {
        const pulled: { lines: ReadonlyArray<string>; cursor: string; more: boolean } = yield* poll(cursor)
        expect(pulled.lines.length * 1000).toBeLessThanOrEqual(pollMax)
        lines += pulled.lines.length
        ;({ cursor, more } = pulled)
      }
      expect(lines).toBe(9000)
      file = Buffer.from("é".repeat(200 * 1024))
      const cut = yield* poll(null)
      expect(cut.lines[0]?.isWellFormed()).toBe(true)
      expect(cut.lines[0]?.includes("\uFFFD")).toBe(false)
      expect(cut.lines[0]?.length).toBe(128 * 1024)
    })
  )

  it.effect("takes rubbish for what it is: lines", () =>
    Effect.gen(function* () {
      file = Buffer.from([0, 255, 254, 10, 128, 10])
      expect((yield* poll(null)).lines.length).toBe(2)
    })
  )

  it.effect.each([
    { status: 500, retryable: true },
    { status: 429, retryable: true },
    { status: 408, retryable: true },
    { status: 404, retryable: false },
    { status: 401, retryable: false }
  ])("says whether trying again can help: $status", ({ retryable, status }) =>
    Effect.gen(function* () {
      behave = (_, response) => void response.writeHead(status, { "retry-after": "7" }).end("no")
      const error = yield* refused()
      expect(error).toBeInstanceOf(SourceError)
      expect(error).toMatchObject({ retryable, retryAfterMs: 7000, got: `status ${status}` })
    })
  )

  it.live("gives up on a server that does not answer, or stops in the middle", () =>
    Effect.gen(function* () {
      behave = () => undefined
      expect(yield* refused({ timeout_ms: "200" })).toMatchObject({
        retryable: true,
        expected: "an answer within 200 ms"
      })
      behave = (_, response) => void response.writeHead(200, { "content-length": "100" }).write("a\n")
      expect(yield* refused({ timeout_ms: "200" })).toMatchObject({ retryable: true })
      behave = (_, response) => {
        response.writeHead(200, { "content-length": "100" }).write("a\n")
        setImmediate(() => response.destroy())
      }
      expect(yield* refused()).toMatchObject({ retryable: true })
      behave = (request) => request.socket.destroy()
      expect(yield* refused()).toMatchObject({ retryable: true })
    })
  )

  it.effect("follows redirects on its host, and no others", () =>
    Effect.gen(function* () {
      file = Buffer.from("a\n")
      behave = (request, response) =>
        request.url === "/app.log"
          ? void response.writeHead(302, { location: "/real.log" }).end()
          : ranged(request, response)
      expect((yield* poll(null)).lines).toEqual(["a"])
      behave = (_, response) => void response.writeHead(302, { location: "http://example.invalid/x" }).end()
      expect(yield* refused()).toMatchObject({ retryable: false, got: "a redirect to http://example.invalid/x" })
      behave = (_, response) => void response.writeHead(302, { location: "/app.log" }).end()
      expect(yield* refused()).toMatchObject({ retryable: false, expected: "at most 5 redirects" })
    })
  )

  it.effect("refuses an encoding it did not ask for", () =>
    Effect.gen(function* () {
      behave = (_, response) => void response.writeHead(200, { "content-encoding": "br" }).end("x")
      expect((yield* refused()).retryable).toBe(false)
    })
  )

  it("names the faults of settings", () => {
    const issues = (config: Record<string, string>) =>
      http_pull.validate(config, noSecrets).map(({ message, path }) => `${path.join(".")}: ${message}`)
    expect(issues({ url: "https://host/x.log" })).toEqual([])
    expect(issues({})).toEqual(["config.url: expected an http or https URL, got nothing"])
    expect(issues({ url: "file:///etc/passwd" })).toEqual([
      'config.url: expected an http or https URL, got the scheme "file:"'
    ])
    expect(issues({ url: "no", timeout_ms: "soon" })).toEqual([
      'config.url: expected an http or https URL, got "no"',
      'config.timeout_ms: expected 100 to 999999 milliseconds, got "soon"'
    ])
  })

  it.effect("begins at the start when the cursor is not its own", () =>
    Effect.gen(function* () {
      file = Buffer.from("a\n")
      for (const cursor of ["rubbish", "null", '{"offset":-1}', "[]"])
        expect((yield* poll(cursor)).lines).toEqual(["a"])
    })
  )

  it.live("asks no address of this host or of a private network unless that is allowed", () =>
    Effect.gen(function* () {
      file = Buffer.from("a\n")
      const { port } = new URL(base)
      for (const host of ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"]) {
        const error = yield* Effect.flip(ask(null, { url: `http://${host}:${port}/app.log` }, false))
        expect(error).toMatchObject({ fault: "address", retryable: false })
      }
      expect(requests).toEqual([])
    })
  )

  it.effect("checks with one byte", () =>
    Effect.gen(function* () {
      const check = http_pull.check({
        config: { url: `${base}/app.log` },
        secrets: Redacted.make({ authorization: "Basic hidden-secret" }),
        now: 0,
        limits: { events: 1, allowPrivate: true }
      })
      yield* check
      file = Buffer.from("a\n")
      yield* check
      expect(requests.at(-1)?.range).toBe("bytes=0-0")
      behave = (_, response) => void response.writeHead(403).end()
      const error = yield* Effect.flip(check)
      expect(error).toMatchObject({ fault: "denied", retryable: false })
      expect(JSON.stringify(error) + error.message).not.toContain("hidden-secret")
    })
  )
})
