/**
 * The dashboard in a real Chromium: signing in by link, reading, searching, pausing, bearing an outage and a flood. What
 * it needs of a server is `Subject`; the mock server can also misbehave on demand, so the tests of that stay with it.
 */
import type { Page } from "playwright-core"
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest"
import { ensureWeb } from "../../scripts/launch/web.mjs"
import { type Browser, startBrowser, whyNoBrowser } from "./support/browser.ts"
import { type Mock, startMock } from "./support/mock.ts"
import { startReal } from "./support/real.ts"

/** A running server with the dashboard: where it is, a key for it, and a way to get log lines into project `default`. */
interface Subject {
  readonly url: string
  readonly key: string
  readonly send: (lines: ReadonlyArray<string>) => Promise<void>
}

const missing = await whyNoBrowser()
if (missing !== null) process.stdout.write(`dashboard tests skipped: ${missing}\n`)

let mock: Mock
let browser: Browser
let page: Page
const faults: Array<string> = []

beforeAll(async () => {
  if (missing !== null) return
  await ensureWeb(process.env)
  mock = await startMock()
  browser = await startBrowser()
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await mock?.stop()
})
afterEach(async () => {
  await page?.close()
})

const open = async (subject: Subject, path = "/", signedIn = true): Promise<Page> => {
  faults.length = 0
  page = await browser.context.newPage()
  page.on("pageerror", (error) => faults.push(error.message))
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource|WebSocket connection/u.test(message.text()))
      faults.push(message.text())
  })
  await page.goto(`${subject.url}${path}${signedIn ? `#key=${subject.key}` : ""}`)
  if (signedIn) await page.locator("[role=log]").waitFor()
  return page
}
const log = () => page.locator("[role=log]")
const scrollHeight = () => page.evaluate<number>(`document.querySelector("[role=log]").scrollHeight`)
const pageWidth = () => page.evaluate<number>("document.documentElement.scrollWidth")
/** How many frames the page draws in this time. */
const frames = (ms: number) =>
  page.evaluate<number>(`new Promise((resolve) => {
    let n = 0
    const begun = performance.now()
    const tick = () => (n++, performance.now() - begun < ${ms} ? requestAnimationFrame(tick) : resolve(n))
    requestAnimationFrame(tick)
  })`)
const search = () => page.getByRole("textbox", { name: "Search logs" })

describe.skipIf(missing !== null)("dashboard, real server", () => {
  it("shows lines as they arrive, finds them again, tells of the alert they raise, and the jobs that tell of it", async () => {
    const real = await startReal()
    try {
      await real.post("/v1/rules", {
        name: "Errors",
        type: "threshold",
        query: "level:>=error",
        window: "1 minute",
        threshold: 2,
        for: "0 seconds"
      })
      await open(real)
      await page.getByText("No logs in this project yet").waitFor()
      await page.getByText("1 rule watching").waitFor()
      await real.send([
        'level=error service=db msg="first <b>failure</b>" code=57014',
        'level=info service=api msg="all good"',
        'level=fatal service=db msg="second failure"'
      ])
      const line = log().locator(".line.is-error", { hasText: "first <b>failure</b>" })
      await line.waitFor({ timeout: 5_000 })
      await page
        .getByRole("region", { name: "Alerts", exact: true })
        .getByText("firing", { exact: true })
        .waitFor({ timeout: 5_000 })
      await page.getByRole("button", { name: /Notifications: 1 unread, 1 alerts firing/u }).waitFor({ timeout: 10_000 })
      await page.getByRole("region", { name: "Recent jobs" }).getByText("send_in_app_notification").waitFor()
      await page
        .getByRole("region", { name: "Queues" })
        .getByRole("row", { name: /high-priority/u })
        .waitFor()
      await line.click()
      await page.getByRole("button", { name: "Only lines with this code" }).click()
      await expect.poll(() => log().locator(".line").count()).toBe(1)
      await page.goto(`${real.url}/logs?q=failure+level:fatal`)
      await log().locator(".line.is-fatal", { hasText: "second failure" }).waitFor()
      expect(await log().locator(".line").count()).toBe(1)
      expect(faults).toEqual([])
    } finally {
      await page?.close()
      await real.stop()
    }
  }, 60_000)
})

describe.skipIf(missing !== null)("dashboard, mock server", () => {
  it("shows a line that is sent while it is open, with its level, and nothing of it runs", async () => {
    await open(mock)
    expect(new URL(page.url()).hash).toBe("")
    const script = '<img src=x onerror="document.title=1"> boom'
    await mock.send([`level=error ${script}`])
    const line = log().locator(".line.is-error", { hasText: "boom" })
    await line.waitFor()
    expect(await line.locator(".line-message").textContent()).toBe(script)
    expect(await page.locator("[role=log] img").count()).toBe(0)
    expect(faults).toEqual([])
  })

  it("shows alerts, queues, jobs and volume", async () => {
    await open(mock)
    const panel = (name: string) => page.getByRole("region", { name, exact: true })
    await panel("Alerts").getByText("Payment timeouts").click()
    await panel("Alerts").getByText("42 lines matched").waitFor()
    await panel("Queues")
      .getByRole("row", { name: /low.*1,284.*1 m 37 s/u })
      .waitFor()
    await panel("Recent jobs").getByText("process_log_file").first().waitFor()
    await panel("Log volume").locator("canvas").waitFor()
    await page.getByRole("button", { name: /Notifications: \d unread/u }).click()
    await page.getByRole("dialog").getByText("Payment timeouts is firing").waitFor()
    await page.keyboard.press("Escape")
    await page.getByRole("dialog").waitFor({ state: "detached" })
    expect(faults).toEqual([])
  })

  it("searches with / and Enter, keeps the query in the address, and comes back with it", async () => {
    await open(mock, "/logs")
    await mock.send(["level=warn needle-1 in the hay", "level=info only hay"])
    await page.keyboard.press("/")
    await page.keyboard.type("needle-1")
    await page.keyboard.press("Enter")
    await page.waitForURL(/\?q=needle-1$/u)
    await expect.poll(() => log().locator(".line").count()).toBe(1)
    await page.reload()
    await log().locator("mark", { hasText: "needle-1" }).waitFor()
    await page.getByRole("button", { name: "error", exact: true }).click()
    await page.waitForURL(/level=error/u)
    await page.getByText("No line matches").waitFor()
    expect(faults).toEqual([])
  })

  it("says what is wrong with a query", async () => {
    await open(mock)
    await search().fill("level:")
    await page.keyboard.press("Enter")
    await page.locator("#log-problem", { hasText: "expected" }).waitFor()
    await page.keyboard.press("Escape")
    await log().locator(".line").first().waitFor()
  })

  it("stands still while paused, counts what comes, and catches up", async () => {
    await open(mock)
    await log().locator(".line").first().waitFor()
    await page.keyboard.press("p")
    await mock.send(["while paused"])
    await page.locator(".live-button", { hasText: "1 new" }).waitFor()
    expect(await log().getByText("while paused").count()).toBe(0)
    await page.keyboard.press("p")
    await log().getByText("while paused").waitFor()
  })

  it("holds still when a line is opened, and narrows the search by a field", async () => {
    await open(mock)
    await mock.send(["level=error open me"])
    await log().locator(".line", { hasText: "open me" }).click()
    await log().getByText("observed").waitFor()
    await page.getByRole("button", { name: "Only lines with this note" }).click()
    await page.waitForURL(/note%3Asent|note:sent/u)
    expect(await search().inputValue()).toBe("note:sent")
  })

  it("loads older lines in front without moving the reader", async () => {
    await open(mock, "/logs")
    await log().locator(".line").first().waitFor()
    const older = page.getByRole("button", { name: "Load older lines" })
    // Lines that go on coming would move the list under the pointer.
    await page.getByRole("button", { name: "Pause" }).click()
    // The rows of the top are drawn a moment after the scrolling; until then the first one is a row from further down.
    const distance = `{
      const list = document.querySelector("[role=log]")
      list.scrollTo(0, 0)
      list.querySelector(".line").getBoundingClientRect().top - list.getBoundingClientRect().top
    }`
    await expect.poll(() => page.evaluate<number>(distance)).toBeLessThan(100)
    const before = await log().locator(".line time").first().getAttribute("dateTime")
    const height = await scrollHeight()
    await older.click()
    await expect.poll(scrollHeight).toBeGreaterThan(height + 2_000)
    await page.locator(`[role=log] time[datetime="${before}"]`).waitFor()
  })

  it("asks for a key, refuses a wrong one, takes the right one", async () => {
    await open(mock, "/", false)
    await page.evaluate("localStorage.clear()")
    await page.reload()
    await page.getByLabel("API key").fill("lg_wrong")
    await page.keyboard.press("Enter")
    await page.getByText("does not accept this key").waitFor()
    await page.getByLabel("API key").fill(mock.key)
    await page.keyboard.press("Enter")
    await log().locator(".line").first().waitFor()
    expect(await page.evaluate(`localStorage.getItem("loglytics.key")`)).toBe(mock.key)
  })

  it("bears an outage: says so, keeps what it had, and goes on with what it missed", async () => {
    await open(mock)
    await log().locator(".line").first().waitFor()
    mock.silence(true)
    try {
      await page.getByRole("alert").getByText("No answer from").waitFor({ timeout: 15_000 })
      expect(await log().locator(".line").count()).toBeGreaterThan(5)
      await mock.send(["sent during the outage"])
    } finally {
      mock.silence(false)
    }
    await page.getByRole("button", { name: "Retry now" }).click()
    await log().getByText("sent during the outage").waitFor({ timeout: 20_000 })
    await page.getByText("No answer from").waitFor({ state: "detached" })
    expect(faults).toEqual([])
  }, 60_000)

  it("takes 5,000 lines a second with bounded rows and memory, and keeps drawing", async () => {
    await open(mock, "/logs")
    const heap = async (): Promise<number> => {
      const session = await browser.context.newCDPSession(page)
      await session.send("HeapProfiler.collectGarbage")
      const { usedSize } = await session.send("Runtime.getHeapUsage")
      return usedSize / 2 ** 20
    }
    const stop = mock.flood(5_000)
    await frames(3_000)
    const early = await heap()
    const drawn = await frames(4_000)
    const late = await heap()
    const sent = stop()
    process.stdout.write(
      `flood: ${sent} lines, ${Math.round(drawn / 4)} frames/s, heap ${early.toFixed(1)} → ${late.toFixed(1)} MiB\n`
    )
    expect(sent).toBeGreaterThan(25_000)
    expect(drawn).toBeGreaterThan(40)
    expect(late).toBeLessThan(early + 20)
    expect(await log().locator(".line").count()).toBeLessThan(200)
    await mock.send(["the last of all"])
    await vi.waitFor(async () => expect(await log().getByText("the last of all").count()).toBe(1), { timeout: 10_000 })
    expect(faults).toEqual([])
  }, 60_000)

  it("fits a phone without sideways scrolling, and tells an empty project what to do", async () => {
    const bare = await startMock({ empty: true })
    try {
      await open(bare)
      await page.setViewportSize({ width: 390, height: 844 })
      await page.getByText("No logs in this project yet").waitFor()
      await page.getByText(`curl ${bare.url}/v1/logs`).waitFor()
      await page.getByText("No rule watches these logs yet").waitFor()
      expect(await pageWidth()).toBe(390)
    } finally {
      await bare.stop()
    }
    await page.close()
    await open(mock)
    await page.setViewportSize({ width: 390, height: 844 })
    await log().locator(".line").first().waitFor()
    expect(await pageWidth()).toBe(390)
  })
})
