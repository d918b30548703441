/**
 * The cloud sources with their real SDKs against servers that speak each API: whatever fails in between, what is handed out
 * is what is stored, each once.
 */
import { Effect, Redacted } from "effect"
import { fc } from "../../support/property.ts"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { sources } from "../../../src/ingest/all.ts"
import type { Ask, Config, Polled, Secrets } from "../../../src/ingest/Source.ts"
import { startAws } from "../../support/clouds/aws.ts"
import { startAzure } from "../../support/clouds/azure.ts"
import { startGcp } from "../../support/clouds/gcp.ts"
import { type CloudServer, type Failure, failures } from "../../support/clouds/Server.ts"

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

interface Tried {
  readonly kind: keyof typeof sources
  readonly start: () => Promise<CloudServer>
  readonly config: (url: string) => Config
  readonly secrets: Readonly<Record<string, string>>
}

const timeout_ms = 2_000
const clouds: ReadonlyArray<Tried> = [
  {
    kind: "cloudwatch",
    start: startAws,
    config: (endpoint) => ({ endpoint, region: "eu-west-1", log_group: "/aws/lambda/checkout", timeout_ms }),
    secrets: { access_key_id: "AKIASECRETID", secret_access_key: "very-secret-key" }
  },
  {
    kind: "gcp_logging",
    start: startGcp,
    config: (endpoint) => ({ endpoint, project: "test-project", timeout_ms }),
    secrets: { access_token: "very-secret-key" }
  },
  {
    kind: "azure_monitor",
    start: () => startAzure({ partial: 40 }),
    config: (endpoint) => ({
      endpoint,
      workspace_id: "01234567-89ab-cdef-0123-456789abcdef",
      table: "AppTraces",
      timeout_ms
    }),
    secrets: { access_token: "very-secret-key" }
  }
]

type Command =
  | { readonly _: "append"; readonly count: number; readonly late: number; readonly hidden: number }
  | { readonly _: "wait"; readonly ms: number }
  | { readonly _: "poll"; readonly kept: boolean }
  | { readonly _: "fail"; readonly how: Failure }
  | { readonly _: "empty" }
  | { readonly _: "endTokens" }

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      _: fc.constant("append" as const),
      count: fc.integer({ min: 1, max: 30 }),
      late: fc.oneof(fc.integer({ min: 0, max: 5 * second }), fc.integer({ min: 0, max: 12 * hour })),
      hidden: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 * minute }))
    })
  },
  {
    weight: 3,
    arbitrary: fc.record({ _: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 20 * minute }) })
  },
  { weight: 6, arbitrary: fc.record({ _: fc.constant("poll" as const), kept: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      _: fc.constant("fail" as const),
      how: fc.constantFrom(...failures.filter((f) => f !== "hang"))
    })
  },
  { weight: 1, arbitrary: fc.record({ _: fc.constant("empty" as const) }) },
  { weight: 1, arbitrary: fc.record({ _: fc.constant("endTokens" as const) }) }
)

describe.each(clouds)("$kind", (tried) => {
  let cloud: CloudServer
  const source = sources[tried.kind]
  const secrets: Secrets = Redacted.make(tried.secrets)
  beforeAll(async () => {
    cloud = await tried.start()
  })
  afterAll(() => cloud.stop())

  const ask = (cursor: string | null, more: Partial<Ask> = {}): Ask => ({
    config: tried.config(cloud.url),
    secrets,
    cursor,
    now: cloud.now,
    limits: { events: 7, allowPrivate: true },
    ...more
  })
  const poll = (cursor: string | null) => Effect.runPromise(Effect.result(source.poll(ask(cursor))))

  const run = async (commands: ReadonlyArray<Command>): Promise<void> => {
    const fresh = await tried.start()
    const { stop } = cloud
    await stop()
    cloud = fresh
    cloud.now = Date.UTC(2026, 10, 1)
    let cursor: string | null = null
    const delivered: Array<string> = []
    const step = async (kept: boolean): Promise<boolean> => {
      const result = await poll(cursor)
      if (result._tag === "Failure") return true
      const polled: Polled = result.success
      if (kept) {
        cursor = polled.cursor
        delivered.push(...polled.events.map(({ event }) => event.message ?? event.line ?? ""))
      }
      return polled.more
    }
    await step(true)
    let n = 0
    for (const one of commands) {
      if (one._ === "append") {
        for (let i = 0; i < one.count; i++) {
          const event = { time: cloud.now - one.late, ingested: cloud.now, visible: cloud.now + one.hidden }
          cloud.model.append({ ...event, id: `e${n}`, message: `m${n++}` })
        }
        // What is taken in one ms is known to fit in one answer.
        cloud.now += 1
      } else if (one._ === "wait") cloud.now += one.ms
      else if (one._ === "poll") await step(one.kept)
      else if (one._ === "fail") cloud.failing.push(one.how)
      else if (one._ === "empty") cloud.model.emptyPages(2)
      else cloud.model.endTokens()
    }
    for (let i = 0; i < 3; i++) {
      cloud.now += 40 * minute
      for (let pages = 0; pages < 1_000 && (await step(true)); pages++);
    }
    expect(delivered.toSorted()).toEqual(cloud.model.stored.map(({ message }) => message).toSorted())
  }

  it("hands out what is stored, each once, whatever fails", { timeout: 120_000 }, () =>
    fc.assert(fc.asyncProperty(fc.array(command, { maxLength: 25, size: "max" }), run), {
      numRuns: 12,
      interruptAfterTimeLimit: 60_000
    })
  )

  it("says what is wrong in a word, and tells no secret", { timeout: 60_000 }, async () => {
    const expected = {
      throttled: ["throttled", true],
      error: ["unreachable", true],
      hang: ["unreachable", true],
      garbage: ["unreachable", true],
      gone: ["missing", false],
      denied: ["denied", false]
    } as const
    for (const failure of failures) {
      cloud.failing.splice(0, cloud.failing.length, failure)
      const config = failure === "hang" ? { ...tried.config(cloud.url), timeout_ms: 200 } : tried.config(cloud.url)
      const error = await Effect.runPromise(Effect.flip(source.check(ask(null, { config }))))
      expect([failure, error.fault, error.retryable]).toEqual([failure, ...expected[failure]])
      expect(`${error.message} ${JSON.stringify(error)}`).not.toMatch(/very-secret-key|AKIASECRETID/u)
    }
    await Effect.runPromise(source.check(ask(null)))
    expect(cloud.requests.at(-1)?.authorization).toMatch(/very-secret-key|AWS4-HMAC-SHA256/u)
  })

  it("asks no private address unless that is allowed", async () => {
    const before = cloud.requests.length
    const limits = { events: 7, allowPrivate: false }
    const error = await Effect.runPromise(Effect.flip(source.check(ask(null, { limits }))))
    expect([error.fault, error.retryable, cloud.requests.length]).toEqual(["address", false, before])
  })

  it("refuses settings and credentials it does not know, and repeats none", () => {
    const issues = source.validate(
      { ...tried.config(cloud.url), other: "x" },
      Redacted.make({ token: "very-secret-key" })
    )
    expect(issues.map(({ path }) => path.join("."))).toContain("config.other")
    expect(issues.some(({ path }) => path[0] === "secrets")).toBe(true)
    expect(JSON.stringify(issues)).not.toContain("very-secret-key")
    expect(source.validate(tried.config(cloud.url), secrets)).toEqual([])
  })
})
