/** Recall and precision of redaction on the labelled set, its switches, and the rules that projects write themselves. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { assert, describe, expect, it } from "vitest"
import { redactionNames } from "../../src/domain/Redaction.ts"
import { defaultRedaction, make, redactText } from "../../src/parse/Redact.ts"
import { literalOf } from "../../src/parse/redact/Custom.ts"
import { negatives, positives } from "./redaction_set.ts"

const { redactor } = make(defaultRedaction)

describe("the labelled set", () => {
  it("is large enough", () => {
    expect(positives.length).toBeGreaterThanOrEqual(150)
    expect(negatives.length).toBeGreaterThanOrEqual(300)
  })

  it("has recall of at least .98 and precision of at least .99", () => {
    const missed = positives.filter(({ line, secret }) => redactText(line).includes(secret))
    const wrong = negatives.filter((line) => redactText(line) !== line)
    const recall = 1 - missed.length / positives.length
    const found = positives.length - missed.length
    const precision = found / (found + wrong.length)
    const story = `recall ${recall.toFixed(4)} (${found}/${positives.length}), precision ${precision.toFixed(4)} (${wrong.length} of ${negatives.length} touched)`
    const shown = [...missed.map(({ line }) => `missed: ${line}`), ...wrong.map((line) => `wrong: ${redactText(line)}`)]
    assert.isAtLeast(recall, 0.98, `${story}\n${shown.join("\n")}`)
    assert.isAtLeast(precision, 0.99, `${story}\n${shown.join("\n")}`)
  })

  it("names a rule for each hit, and a second pass changes nothing", () => {
    for (const { line } of positives) {
      const once = redactor.explain(line)
      for (const { from, to } of once.hits) assert.isTrue(from < to && to <= line.length)
      expect(redactText(once.text)).toBe(once.text)
    }
  })
})

const loghub = new URL("../../../shared/data/loghub/", import.meta.url)
describe.skipIf(!existsSync(loghub))("LogHub (skipped where ../shared/data is absent)", () => {
  it("has one line in 20,000 that is touched: the kernel's, which names who built it by an address", () => {
    const lines = readdirSync(loghub)
      .filter((name) => name.endsWith(".log"))
      .flatMap((name) => readFileSync(new URL(name, loghub), "utf8").split("\n"))
    const touched = lines.filter((line) => redactText(line) !== line)
    expect(lines.length).toBeGreaterThan(19_000)
    expect(touched.map((line) => line.slice(16, 60))).toEqual(["combo kernel: Linux version 2.6.5-1.358 (bhc"])
  })
})

describe("switches", () => {
  it("turn each rule off by its name", () => {
    for (const rule of redactionNames) {
      const lines = positives.filter((one) => one.rule === rule).map(({ line }) => line)
      const off = make({ builtIn: { [rule]: false }, custom: [] }).redactor
      for (const line of lines) expect(off.explain(line).hits.map((hit) => hit.rule)).not.toContain(rule)
    }
  })

  it("turn the optional rules on", () => {
    const on = make({ builtIn: { iban: true, us_ssn: true }, custom: [] }).redactor
    expect(on.text("paid to DE89 3704 0044 0532 0130 00 today")).toBe("paid to [redacted] today")
    expect(on.text("GB82WEST12345698765432")).toBe("[redacted]")
    expect(on.text("GB82WEST12345698765433")).toBe("GB82WEST12345698765433")
    expect(on.text("ssn 123-45-6789, not 000-45-6789 nor 2026-11-2401")).toBe(
      "ssn [redacted], not 000-45-6789 nor 2026-11-2401"
    )
    expect(redactText("ssn 123-45-6789")).toBe("ssn 123-45-6789")
  })

  it("concern attributes by name too", () => {
    const event = { time: 0, level: "info", service: "", message: "", attributes: { password: "x", email: "a@x.de" } }
    const off = make({ builtIn: { password: false, email: false }, custom: [] }).redactor
    expect(off.event(event as never)).toBe(event)
    expect(redactor.event(event as never).attributes).toEqual({ password: "[redacted]", email: "[email]@x.de" })
  })
})

describe("a project's own rules", () => {
  const custom = (pattern: string, replacement: string) =>
    make({ builtIn: {}, custom: [{ name: "own", pattern, replacement }] })

  it("replace, with groups", () => {
    const { redactor: own } = custom("patient-(\\d)(\\d+)", "patient-$1…$$")
    expect(own.text("seen patient-12345 and patient-9876")).toBe("seen patient-1…$ and patient-9…$")
    expect(own.explain("x patient-12 y").hits).toEqual([{ rule: "own", from: 2, to: 12 }])
  })

  it.each([
    ["(", "expected a pattern in RE2's syntax"],
    ["(?=a)b", "expected a pattern in RE2's syntax"],
    ["(\\w)\\1", "expected a pattern in RE2's syntax"],
    ["a{900}b{900}c{900}", "instructions"]
  ])("refuse %s", (pattern, reason) => {
    const { faults } = custom(pattern, "")
    expect(faults).toHaveLength(1)
    expect(faults[0]?.fault).toContain(reason)
  })

  it("refuse a group that is not there, and leave the other rules in force", () => {
    const { faults, redactor: own } = make({
      builtIn: {},
      custom: [
        { name: "bad", pattern: "a", replacement: "$1" },
        { name: "good", pattern: "b+", replacement: "B" }
      ]
    })
    expect(faults).toEqual([{ index: 0, fault: "expected a replacement with groups up to $0, got $1" }])
    expect(own.text("abba password=x1y")).toBe("aBa password=[redacted]")
  })

  it("stay linear where a backtracking engine would not end", () => {
    const { redactor: own } = custom("(a+)+$", "")
    const text = `${"a".repeat(20_000)}b`
    expect(own.text(text)).toBe(text)
  })

  it("are looked for by a literal only where the pattern can't match without it", () => {
    expect(literalOf("patient-(\\d+)")).toBe("patient-")
    expect(literalOf("abc|def")).toBe("")
    expect(literalOf("colou?r")).toBe("")
    expect(literalOf("abc*")).toBe("ab")
    expect(literalOf("(abc)")).toBe("")
    expect(literalOf("(?i)abc")).toBe("")
    expect(literalOf("\\d+ of 9{2}")).toBe(" of ")
    expect(literalOf("x{0,3}ab[abc]")).toBe("ab")
  })
})

describe("what strangers send", () => {
  it.each([
    ["names", "password=".repeat(30_000)],
    ["ats", "a@b.".repeat(60_000)],
    ["long locals", `${"a".repeat(250_000)}@`],
    ["colons", "://a:".repeat(50_000)],
    ["jwts", "eyJ".repeat(80_000)],
    ["dashes", `--${"a-".repeat(120_000)}password`],
    ["digits", "4111 ".repeat(50_000)],
    ["quotes", `password="${'\\"'.repeat(100_000)}`],
    ["begins", "-----BEGIN PRIVATE KEY----- ".repeat(9_000)],
    ["queries", "?sig=&key=".repeat(25_000)],
    ["dots", "8Q~".repeat(80_000)],
    ["curl", "curl ".repeat(50_000)]
  ])("is read in time that grows with its length: %s", (_, text) => {
    const started = performance.now()
    redactText(text)
    // A quarter of a megabyte; what grows with the square would take minutes.
    expect(performance.now() - started).toBeLessThan(5_000)
  })
})
