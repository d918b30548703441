import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Effect, Stream } from "effect"
import type { StoredEvent } from "../../src/domain/LogEvent.ts"
import { ProjectId } from "../../src/domain/Ids.ts"
import { exported } from "../../src/http/handlers/explore.ts"
import { SearchTooSlow } from "../../src/store/BlockWalk.ts"
import { StoreError } from "../../src/store/Database.ts"
import type { Page, SearchOptions } from "../../src/store/LogSearch.ts"
import { type App, ask, makeRoom, startApp } from "../support/app.ts"
import { eventually } from "../support/eventually.ts"

let app: App
const at = Date.UTC(2026, 9, 1, 10)
const total = 300

beforeAll(async () => {
  app = await startApp(await makeRoom())
  await ask(app, "POST", "/v1/projects", { id: "look", name: "Look" })
  const lines = Array.from({ length: total }, (_, n) =>
    JSON.stringify({
      time: new Date(at + n * 1_000).toISOString(),
      level: n % 10 === 0 ? "error" : "info",
      service: n % 2 === 0 ? "api" : "web",
      message: `line ${n} is here`,
      duration_ms: n,
      route: `/v1/${n % 3}`
    })
  )
  await ask(app, "POST", "/v1/logs", lines.join("\n"), { "x-loglytics-project": "look" })
  await eventually(
    "all lines",
    async () => {
      const { body } = await ask<{ events: ReadonlyArray<StoredEvent> }>(app, "GET", "/v1/logs?project=look&limit=1000")
      return body.events.length === total ? true : undefined
    },
    60_000
  )
}, 120_000)
afterAll(async () => {
  await app.stop()
  await app.room.clear()
})

const get = async <A>(path: string): Promise<A> => {
  const { body, status } = await ask<A>(app, "GET", path)
  expect({ status, body }).toMatchObject({ status: 200 })
  return body
}

describe("exploring stored lines", () => {
  it("compares numbers, and searches from either end", async () => {
    const q = encodeURIComponent("duration_ms:>=290 -level:error")
    const page = await get<{ events: ReadonlyArray<StoredEvent>; complete: boolean }>(
      `/v1/logs?project=look&q=${q}&order=oldest&limit=3`
    )
    expect(page.events.map(({ message }) => message)).toEqual([
      "line 291 is here",
      "line 292 is here",
      "line 293 is here"
    ])
    expect(page.complete).toBe(true)
  })

  it("draws lines over event time, with and without words", async () => {
    const range = `from=${at}&to=${at + 300_000}&project=look`
    interface Histogram {
      readonly bucketMs: number
      readonly buckets: ReadonlyArray<{ readonly total: number; readonly byLevel: Readonly<Record<string, number>> }>
    }
    const all = await get<Histogram>(`/v1/logs/histogram?${range}&buckets=5`)
    expect(all.bucketMs).toBe(60_000)
    expect(all.buckets.map((bucket) => [bucket.total, bucket.byLevel["error"]])).toEqual(
      Array.from({ length: 5 }, () => [60, 6])
    )
    const some = await get<Histogram>(`/v1/logs/histogram?${range}&interval=150000&q=${encodeURIComponent('"line 2"')}`)
    expect(some.buckets.map((bucket) => bucket.total)).toEqual([11, 100])
    const { status } = await ask(app, "GET", `/v1/logs/histogram?${range}&interval=1`)
    expect(status).toBe(422)
  })

  it("completes names of fields, and lists values of one", async () => {
    const fields = await get<ReadonlyArray<{ name: string; types: ReadonlyArray<string> }>>(
      "/v1/logs/fields?project=look&prefix=dur"
    )
    expect(fields).toMatchObject([{ name: "duration_ms", types: ["number"] }])
    const values = await get<{ values: ReadonlyArray<unknown> }>("/v1/logs/fields/route/values?project=look")
    expect(values.values).toEqual(["/v1/0", "/v1/1", "/v1/2"].map((value) => ({ value, lines: 100 })))
  })

  it("takes names of fields as long as they may be, and no path without end", async () => {
    const name = `${"é".repeat(100)}.${"x".repeat(200)}`
    expect(await get(`/v1/logs/fields/${encodeURIComponent(name)}/values?project=look`)).toMatchObject({ values: [] })
    expect((await ask(app, "GET", `/v1/logs/fields/${"x".repeat(401)}/values?project=look`)).status).toBe(422)
    const answer = await fetch(`${app.url}/${"x".repeat(5_000)}`)
    expect(answer.status).toBe(414)
  })

  it("shows lines around a line", async () => {
    const { events } = await get<{ events: ReadonlyArray<StoredEvent> }>(
      `/v1/logs?project=look&q=${encodeURIComponent('"line 100 is"')}`
    )
    const found = await get<{ before: ReadonlyArray<StoredEvent>; after: ReadonlyArray<StoredEvent> }>(
      `/v1/logs/${events[0]!.id}/context?project=look&before=2&after=1&same=service`
    )
    expect(found.before.map(({ message }) => message)).toEqual(["line 96 is here", "line 98 is here"])
    expect(found.after.map(({ message }) => message)).toEqual(["line 102 is here"])
    expect((await ask(app, "GET", "/v1/logs/99999999/context?project=look")).status).toBe(404)
  })

  it("exports as NDJSON, and goes on after a line", async () => {
    const read = async (more: string): Promise<ReadonlyArray<StoredEvent>> => {
      const answer = await fetch(`${app.url}/v1/logs/export?project=look&order=oldest${more}`, {
        headers: { authorization: `Bearer ${app.key}` }
      })
      expect(answer.headers.get("content-type")).toContain("application/x-ndjson")
      return (await answer.text()).split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as StoredEvent]))
    }
    const first = await read("&limit=120&q=line")
    expect(first.map(({ message }) => message)).toEqual(Array.from({ length: 120 }, (_, n) => `line ${n} is here`))
    const last = first.at(-1)!
    const rest = await read(`&q=line&after=${encodeURIComponent(`${last.time},${last.id}`)}`)
    expect(rest.map(({ message }) => message)).toEqual(Array.from({ length: 180 }, (_, n) => `line ${n + 120} is here`))
  })

  it("gives no more buckets than asked for", async () => {
    for (const [from, to] of [
      [at + 1_800_000, at + 5_400_000],
      [at - 1, at + 1],
      [-3_600_000, 3_600_000]
    ] as const) {
      for (const buckets of [1, 2, 7, 60]) {
        const found = await get<{ buckets: ReadonlyArray<unknown>; from: string; to: string }>(
          `/v1/logs/histogram?project=look&from=${new Date(from).toISOString()}&to=${to}&buckets=${buckets}`
        )
        expect(found.buckets.length).toBeLessThanOrEqual(buckets)
        expect(Date.parse(found.from)).toBeLessThanOrEqual(from)
        expect(Date.parse(found.to)).toBeGreaterThanOrEqual(to)
      }
    }
  })

  it("refuses times, cursors and text that Postgres does not take", async () => {
    const cursor = (text: string) => Buffer.from(text).toString("base64url")
    for (const path of [
      `/v1/logs?project=look&cursor=${cursor("1:999999999999999:999999999999999999")}`,
      `/v1/logs?project=look&cursor=${cursor("1:-99999999999999:1")}`,
      "/v1/logs/export?project=look&after=-271821-04-20T00:00:00Z,1",
      "/v1/logs/histogram?project=look&from=-271821-04-20T00:00:00Z",
      "/v1/logs/histogram?project=look&to=%2B271821-04-20T00:00:00Z",
      "/v1/patterns?project=look&to=%2B271821-04-20T00:00:00Z&from=%2B271821-04-19T00:00:00Z",
      "/v1/patterns?project=look&q=%00"
    ]) {
      const { body, status } = await ask(app, "GET", path)
      expect({ path, status, body }).toMatchObject({ path, status: 422 })
    }
  })

  it("an export goes on where a page ran out of time, and breaks off where a page fails", async () => {
    const asked: Array<string | undefined> = []
    const line = (id: string) => ({ id }) as StoredEvent
    const page = (id: string, next: string | null): Page => {
      return { events: [line(id)], next, complete: next !== "b", scannedTo: null }
    }
    const from = (answers: ReadonlyArray<Page | SearchTooSlow | StoreError>) => {
      asked.length = 0
      const search = (options: SearchOptions) =>
        Effect.suspend(() => {
          const answer = answers[asked.push(options.cursor) - 1]!
          return "events" in answer ? Effect.succeed(answer) : Effect.fail(answer)
        })
      const options = { project: ProjectId.make("look") }
      return Effect.runPromise(Stream.mkString(Stream.decodeText(exported({ search }, options, undefined))))
    }
    const slow = new SearchTooSlow({ limitMs: 1 })
    expect(await from([slow, page("1", "a"), slow, page("2", "b"), page("3", null)])).toBe(
      ["1", "2", "3"].map((id) => `${JSON.stringify({ id })}\n`).join("")
    )
    expect(asked).toEqual([undefined, undefined, "a", "a", "b"])
    const gone = new StoreError({ op: "logs.search", cause: new Error("gone") })
    await expect(from([page("1", "a"), gone])).rejects.toThrow("gone")
  })
})
