/** A report shows what happened, in three forms, on a machine without fonts; nothing of a line becomes markup. */
import { inflateSync } from "node:zlib"
import { fc } from "../support/property.ts"
import { describe, expect, it } from "vitest"
import * as Charts from "../../src/analytics/Charts.ts"
import { toPng } from "../../src/analytics/Pictures.ts"
import { periodText } from "../../src/analytics/Format.ts"
import { make, toText } from "../../src/analytics/Report.ts"
import { toHtml } from "../../src/analytics/ReportHtml.ts"
import { toPdf } from "../../src/analytics/ReportPdf.ts"
import { alerts, facts, from, report, to } from "./sample.ts"

const pictures = { volume: { src: "cid:volume.png", top: 30_000 }, errors: { src: "cid:errors.png", top: 0.2 } }

/** Colours of a PNG of 8-bit RGBA without filters being undone: enough to tell that something is drawn. */
const isDrawn = (png: Uint8Array): boolean => {
  const data = Buffer.from(png)
  const parts: Array<Buffer> = []
  for (let at = 8; at < data.length;) {
    const length = data.readUInt32BE(at)
    if (data.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(data.subarray(at + 8, at + 8 + length))
    at += length + 12
  }
  return new Set(inflateSync(Buffer.concat(parts))).size > 8
}

describe("a report", () => {
  it("tells figures, what stands out, problems, slow ones and alerts", () => {
    const made = report()
    expect(made.period).toBe("25 Oct – 31 Oct 2026")
    expect(made.tiles.map(({ label, note, value }) => [label, value, note])).toEqual([
      ["Log lines", "1,912,174", "+33% on the time before"],
      ["Error rate", "0.9%", "0.4% the time before"],
      ["Alerts fired", "9", "acknowledged in 25 min (median)"],
      ["Stored a day", "112 MB", "kept for 30 days"]
    ])
    expect(made.insights[0]).toMatchObject({
      kind: "error_spike",
      title: "9,279 errors on 28 Oct 2026, 14:00–18:00 UTC"
    })
    expect(made.problems[0]).toMatchObject({
      lines: "6,210",
      errors: "6,210",
      change: { text: "new, 28 Oct", mood: "bad" }
    })
    expect(made.services[0]).toMatchObject({ name: "checkout", change: { text: "+52%" }, errors: "0.8%" })
    expect(made.turns.map(({ kind, note }) => [kind, note])).toEqual([
      ["came", "6,210 lines since 28 Oct"],
      ["came", "2,730 lines since 27 Oct"],
      ["came", "1,904 lines since 28 Oct"],
      ["went", "8,800 lines the time before"]
    ])
    expect(made.alerts[0]).toMatchObject({
      rule: "Disk usage of db-2",
      fired: "7",
      acknowledged: "25 min (3 of 7)",
      lasted: "6 min"
    })
    const text = toText(made, 4_000)
    expect(text.length).toBeLessThanOrEqual(4_000)
    expect(text).toContain("Payment errors > 50 in 5 minutes: fired once, acknowledged after 4 min")
    expect(toText(made, 100)).toHaveLength(100)
  })

  it("is an HTML mail with pictures and links", () => {
    const html = toHtml(report(), pictures)
    expect(html).toContain('src="cid:volume.png"')
    expect(html).toContain("https://logs.example.com/logs?project=web-shop&amp;q=level%3A%3E%3Derror")
    expect(html).not.toMatch(/<script|<link|url\(/u)
    expect(html.length).toBeLessThan(100_000)
  })

  it("escapes what lines say", () => {
    const nasty = '<img src=x onerror="alert(1)">&'
    const made = make({
      project: nasty,
      projectId: nasty,
      facts: {
        ...facts,
        templates: facts.templates.map((one) => ({ ...one, text: nasty })),
        services: facts.services.map((one) => ({ ...one, service: nasty }))
      },
      alerts: alerts.map((one) => ({ ...one, ruleName: nasty })),
      run: {
        summary: nasty,
        insights: report().insights.map((one) => ({
          ...one,
          title: nasty,
          text: nasty,
          link: { ...one.link, query: nasty }
        })),
        source: "llm",
        note: null
      },
      url: null
    })
    expect(toHtml(made, pictures)).not.toContain("<img src=x")
  })

  it("is a PDF of a few pages, in any script, with names of any length", async () => {
    const long = "com.example.internal.".repeat(30)
    const odd = { ...report(), title: `日本語 ≥ 5 😀 خدمة ${long}`, project: `платежи ${long}` }
    for (const one of [report(), odd]) {
      const pdf = Buffer.from(await toPdf(one))
      expect(pdf.subarray(0, 5).toString()).toBe("%PDF-")
      expect(pdf.toString("latin1").match(/\/Type \/Page\b/gu)!.length).toBeLessThanOrEqual(4)
      expect(pdf.length).toBeLessThan(400_000)
    }
  })

  it("can be read in the dark and on a phone", () => {
    const html = toHtml(report(), pictures)
    expect(html).toContain('name="color-scheme" content="light dark"')
    // Every colour that is set inline has a class that the dark sheet sets anew, but for marks and legends.
    for (const [, before] of html.matchAll(/<([^<>]*style="[^"]*(?<![-\w])color:#[^"]*")/gu)) {
      expect(before).toMatch(/class="[^"]*\b(?:ink|soft|faint|plain|link|good|bad)\b/u)
    }
    expect(html).toContain("@media (max-width:560px)")
  })

  it("can be made of nothing at all", async () => {
    const nothing = make({
      project: "empty",
      projectId: "empty",
      facts: {
        ...facts,
        points: [],
        services: [],
        silent: [],
        templates: [],
        endpoints: [],
        endpointsBefore: [],
        alerts: [],
        before: facts.points[0]!.byLevel,
        bytesPerLine: undefined
      },
      alerts: [],
      run: { summary: "No lines came.", insights: [], source: "statistics", note: "the model slept" },
      url: null
    })
    const html = toHtml(nothing, pictures)
    expect(html).toContain("a quiet time")
    expect(html).not.toContain("<img")
    expect((await toPdf(nothing)).length).toBeGreaterThan(1_000)
    expect(nothing.wordedBy).toContain("the model slept")
  })

  it("says the period as people do", () => {
    expect(periodText(from, from + 86_400_000)).toBe("25 Oct 2026")
    expect(periodText(from, to)).toBe("25 Oct – 31 Oct 2026")
    expect(periodText(from + 1_800_000, from + 86_400_000)).toBe("25 Oct 2026, 00:30 – 26 Oct 2026, 00:00")
    expect(periodText(from + 3_600_000, from + 7_200_000)).toBe("25 Oct 2026, 01:00–02:00")
    expect(periodText(Date.UTC(2026, 11, 28), Date.UTC(2027, 0, 4))).toBe("28 Dec 2026 – 3 Jan 2027")
  })
})

describe("charts", () => {
  it("become pictures", () => {
    expect(isDrawn(toPng(Charts.bars(report().points, { width: 200, height: 50 })))).toBe(true)
    expect(toPng(Charts.line([], { width: 200, height: 50 })).length).toBeGreaterThan(50)
  })

  it("have marks at round times, few and in order", () => {
    const hour = 3_600_000
    expect(Charts.ticks(from, to).map(({ text }) => text)).toEqual([25, 26, 27, 28, 29, 30, 31].map((d) => `${d} Oct`))
    expect(Charts.ticks(from + hour, from + 7 * hour)[0]).toEqual({ at: 0, text: "01:00" })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 1, max: 1e11 }), (start, span) => {
        const marks = Charts.ticks(start, start + span)
        expect(marks.length).toBeLessThanOrEqual(10)
        for (const [i, { at }] of marks.entries()) {
          expect(at).toBeGreaterThanOrEqual(marks[i - 1]?.at ?? 0)
          expect(at).toBeLessThanOrEqual(1)
        }
      })
    )
  })

  it("stay inside their edges, whatever the values are", () => {
    const level = fc.integer({ min: 0, max: 1_000_000_000 })
    const points = fc.array(
      fc.tuple(level, level).map(([info, error]) => ({ byLevel: { ...facts.points[0]!.byLevel, info, error } })),
      { maxLength: 200 }
    )
    fc.assert(
      fc.property(points, (some) => {
        const size = { width: 576, height: 150 }
        const charts = [
          Charts.bars(some, size),
          Charts.line(
            some.map(({ byLevel }) => byLevel.error),
            size
          )
        ]
        for (const { shapes } of charts) {
          for (const shape of shapes) {
            const places =
              shape._tag === "Rect"
                ? [
                    [shape.x, shape.y],
                    [shape.x + shape.w, shape.y + shape.h]
                  ]
                : shape.points
            for (const [x, y] of places) {
              expect(x >= -0.1 && x <= size.width + 0.1 && y >= -0.1 && y <= size.height + 0.1).toBe(true)
            }
          }
        }
      }),
      { numRuns: 50 }
    )
  })

  it("have round upper edges at or above the largest value", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e12, noNaN: true }), (value) => {
        const top = Charts.roundUp(value)
        expect(top).toBeGreaterThanOrEqual(value * 0.999)
        expect(top).toBeLessThanOrEqual(value * 2)
      })
    )
  })
})
