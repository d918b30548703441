/** Rules as a file: what is written is read back as the same, and faults are told with their places. */
import { describe, expect, it } from "vitest"
import { ProjectId, RuleId } from "../../src/domain/Ids.ts"
import type { AlertRule, NewRule } from "../../src/domain/Rule.ts"
import { canonical, read, saidBy, write } from "../../src/domain/RuleFile.ts"
import { fc } from "../support/property.ts"

const kept = (rule: NewRule, i = 0): AlertRule => ({
  enabled: true,
  ...rule,
  id: RuleId.make(`r${i}`),
  project: ProjectId.make("p"),
  createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-02T00:00:00.000Z"
})

const errors: NewRule = {
  name: "errors",
  type: "threshold",
  query: "level:>=error",
  window: "1 minute",
  threshold: 5,
  labels: { team: "core", area: "no" },
  groupBy: ["service"]
}

const faultsOf = (text: string): ReadonlyArray<string> => {
  const found = read(text)
  return found.ok ? [] : found.faults.map(({ message, path }) => `${path}: ${message}`)
}

describe("a file of rules", () => {
  it("says at its top which names it can't be read back with", () => {
    const text = write([kept(errors), kept({ ...errors, name: "b" }), kept(errors), kept(errors)])
    expect(text.split("\n").filter((line) => line.startsWith("#"))).toEqual([
      '# "errors" names more than one rule: rename before import'
    ])
    expect(faultsOf(text)).toHaveLength(2)
  })

  it("reads as people write", () => {
    expect(write([kept({ ...errors, name: "b" }), kept({ ...errors, enabled: false })])).toBe(
      [
        "rules:",
        "  - name: b",
        "    type: threshold",
        "    query: level:>=error",
        "    window: 1 minute",
        "    threshold: 5",
        "    groupBy:",
        "      - service",
        "    labels:",
        "      team: core",
        '      area: "no"',
        "  - name: errors",
        "    type: threshold",
        "    enabled: false",
        "    query: level:>=error",
        "    window: 1 minute",
        "    threshold: 5",
        "    groupBy:",
        "      - service",
        "    labels:",
        "      team: core",
        '      area: "no"',
        ""
      ].join("\n")
    )
  })
  it("is read back as the same, whatever people call things", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }).filter((name) => /^\P{Cc}+$/u.test(name))
    fc.assert(
      fc.property(fc.uniqueArray(text, { maxLength: 5 }), text, fc.boolean(), (names, label, enabled) => {
        const rules = names.map((name, i) =>
          kept({ ...errors, name, enabled, labels: { team: label }, query: JSON.stringify(label) }, i)
        )
        const again = read(write(rules))
        expect(again.ok && again.rules.map(canonical).toSorted()).toEqual(rules.map(saidBy).map(canonical).toSorted())
      })
    )
  })
  it("may be JSON, or hold no rule", () => {
    expect(read(JSON.stringify({ rules: [errors] }))).toEqual({ ok: true, rules: [errors] })
    expect(read(write([]))).toEqual({ ok: true, rules: [] })
  })
  it.each([
    ["rules: [", /^: line 1, column 9: /u],
    ["a: 1\na: 2", /^: line 2, column 1: /u],
    ["rules: 5", /^rules: Expected array/iu],
    [
      "rules:\n  - name: a\n    type: threshold\n    query: level:loud\n    window: 1 minute\n    threshold: 5",
      /^rules\.0\.query: at 6.*\("a"\)$/u
    ],
    [
      "rules:\n  - {name: a, type: absence, query: x, window: 1 minute, threshold: 5}",
      /^rules\.0\.threshold: .*\("a"\)$/iu
    ],
    [
      "rules:\n  - {name: a, type: absence, query: x, window: 1 minute}\n  - {name: a, type: absence, query: y, window: 1 minute}",
      /^rules\.1\.name: expected a name of its own/u
    ],
    [
      `a: &a [x, x]\nb: &b [*a, *a]\n${Array.from({ length: 9 }, (_, i) => `${"cdefghijk"[i]}: &${"cdefghijk"[i]} [*${"bcdefghij"[i]}, *${"bcdefghij"[i]}]`).join("\n")}`,
      /alias/iu
    ],
    [
      "rules: [{name: a, type: treshold, query: x}]",
      /^rules\.0: expected a rule whose type is one of threshold, .*anomaly \("a"\)/u
    ],
    [
      "rules: [{name: a, type: absence, query: x, window: 1 fortnight}]",
      /^rules\.0\.window: Expected a number and a unit .*"1 minute"/u
    ]
  ])("tells the place of a fault: %j", (text, fault) => {
    expect(faultsOf(text)[0]).toMatch(fault)
  })
})
