import { Effect } from "effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { AllowPrivate, call, retryAfterMs, urlFault } from "../../src/notify/Http.ts"
import { startFake, type Fake } from "../support/services/Fake.ts"

const run = Effect.runPromise

describe("addresses inside", () => {
  it("are seen through every way to write a URL", () => {
    for (const url of [
      "http://127.1/",
      "http://0x7f.1/",
      "http://2130706433/",
      "http://[::ffff:127.0.0.1]/",
      "http://017700000001/"
    ]) {
      expect(urlFault(url, false)).toContain("public address")
    }
    expect(urlFault("file:///etc/passwd", false)).toContain("http(s)")
    expect(urlFault("gopher://1.1.1.1/", true)).toContain("http(s)")
  })
})

describe("calls", () => {
  let fake: Fake
  beforeAll(async () => void (fake = await startFake(() => ({ status: 200, body: "x".repeat(600_000) }))))
  afterAll(() => fake.close())
  const to = (url: string, allow = true, timeoutMs = 10_000) =>
    call({ channel: "test", method: "POST", url, body: "hello", timeoutMs }).pipe(
      Effect.provideService(AllowPrivate, allow)
    )

  it("reads little of a long answer", async () => {
    const { text } = await run(to(fake.url))
    expect(text.length).toBeLessThan(400_000)
  })

  it("connects to no name that leads inside", async () => {
    const before = fake.taken.length
    const { port } = new URL(fake.url)
    const error = await run(Effect.flip(to(`http://localhost:${port}/`, false)))
    expect(error).toMatchObject({ retryable: false })
    expect(error.reason).toContain("public address")
    expect(fake.taken.length).toBe(before)
  })

  it("follows no redirect", async () => {
    fake.faults.push({ kind: "status", status: 302, headers: { location: "http://169.254.169.254/" } })
    expect((await run(to(fake.url))).status).toBe(302)
  })

  it("ends in time, and says that it is unsure", async () => {
    fake.faults.push({ kind: "silence" })
    const error = await run(Effect.flip(to(fake.url, true, 300)))
    expect(error).toMatchObject({ retryable: true, unsure: true })
  })

  it("says that nothing was sent where nobody listens", async () => {
    const server = createServer().listen(0, "127.0.0.1")
    await new Promise((done) => server.once("listening", done))
    const { port } = server.address() as AddressInfo
    await new Promise((done) => server.close(done))
    const error = await run(Effect.flip(to(`http://127.0.0.1:${port}/`)))
    expect(error).toMatchObject({ retryable: true, unsure: false })
  })

  it("reads Retry-After in both its forms", () => {
    const at = Date.UTC(2026, 0, 1)
    const after = (text: string) => retryAfterMs({ status: 429, headers: { "retry-after": text }, text: "" }, at)
    expect(after("7")).toBe(7_000)
    expect(after("Thu, 01 Jan 2026 00:01:00 GMT")).toBe(60_000)
    expect(after("soon")).toBeUndefined()
    expect(after("999999")).toBe(3_600_000)
  })
})
