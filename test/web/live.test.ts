/** The page's WebSocket client against the mock server: signing in, taking up again after a cut, stale and odd messages. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import type { StoredEvent } from "../../src/domain/LogEvent.ts"
import { backoff, makeLive, type Live } from "../../web/live.ts"
import { type Mock, startMock } from "./support/mock.ts"

let mock: Mock
let live: Live | undefined
beforeEach(async () => {
  mock = await startMock({ empty: true })
})
afterEach(async () => {
  live?.stop()
  await mock.stop()
})

const begin = (key = mock.key): Live => {
  live = makeLive({ url: mock.url.replace("http", "ws") + "/live", key, backoffBaseMs: 20, backoffCapMs: 60 })
  live.start()
  return live
}
const heard = (of: Live, query = "") => {
  const messages: Array<string> = []
  const text = (events: ReadonlyArray<StoredEvent>) => events.map(({ message }) => message).join(",")
  of.subscribe<StoredEvent>(
    "tail",
    { project: "default", query },
    {
      snapshot: (events) => messages.push(`snapshot ${text(events)}`),
      event: (events) => messages.push(`event ${text(events)}`),
      skipped: (count) => messages.push(`skipped ${count}`),
      error: (message) => messages.push(`error ${message}`)
    }
  )
  return messages
}

describe("live", () => {
  it("gets a snapshot, then events, and notices of what was left out", async () => {
    const messages = heard(begin())
    await vi.waitFor(() => expect(messages).toEqual(["snapshot "]))
    await mock.send(["one"])
    mock.skip(7)
    await vi.waitFor(() => expect(messages).toEqual(["snapshot ", "event one", "skipped 7"]))
  })

  it("comes back after a cut and gets what it missed, once", async () => {
    const of = begin()
    const messages = heard(of)
    await vi.waitFor(() => expect(messages).toEqual(["snapshot "]))
    await mock.send(["one"])
    await vi.waitFor(() => expect(messages.at(-1)).toBe("event one"))
    mock.silence(true)
    await vi.waitFor(() => expect(of.connection.get().phase).toBe("waiting"))
    await mock.send(["two"])
    mock.silence(false)
    await vi.waitFor(() => expect(messages).toEqual(["snapshot ", "event one", "event two"]))
    expect(mock.signIns()).toBe(2)
  })

  it("tells what is wrong with a query and goes on with the next", async () => {
    const of = begin()
    const wrong = heard(of, "level:")
    await vi.waitFor(() => expect(wrong[0]).toMatch(/^error .*expected/u))
    await mock.send(["level=error bad", "level=info good"])
    const right = heard(of, "level:error")
    await vi.waitFor(() => expect(right).toEqual(["snapshot bad"]))
  })

  it("does not try a refused key again", async () => {
    const of = begin("lg_wrong")
    await vi.waitFor(() => expect(of.connection.get().phase).toBe("denied"))
    expect(of.connection.get().retryAt).toBeNull()
  })

  it("waits longer each time, up to a limit, never in step with others", () => {
    expect([0, 1, 2, 30].map((attempt) => backoff(attempt, 100, 1_000, () => 1))).toEqual([100, 200, 400, 1_000])
    expect(backoff(2, 100, 1_000, () => 0)).toBe(200)
  })
})
