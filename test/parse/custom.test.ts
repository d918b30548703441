import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { parseLine } from "../../src/parse/all.ts"
import { type FormatSpec, compile, compileAll, formatsMax, patternMax, tryOn } from "../../src/parse/Custom.ts"
import { library } from "../../src/parse/Grok.ts"
import type { Parser } from "../../src/parse/Parser.ts"
import { prop } from "../support/property.ts"

const now = Date.UTC(2026, 10, 23, 20)
const grok = (pattern: string, more: Partial<FormatSpec> = {}): FormatSpec => ({
  name: "own",
  kind: "grok",
  pattern,
  ...more
})
const parserOf = (spec: FormatSpec): Parser => {
  const made = compile(spec)
  if (!made.ok) throw new Error(made.fault)
  return made.parser
}
const faultOf = (spec: FormatSpec | Readonly<Record<string, unknown>>): string => {
  const made = compile(spec)
  return made.ok ? "" : made.fault
}

describe("grok", () => {
  it.each(Object.keys(library))("%s is a pattern", (name) => {
    expect(faultOf(grok(`%{${name}:field}`))).toBe("")
  })

  it.each([
    ["IP", "client 1.2.3.4 asked", "1.2.3.4"],
    ["IPV6", "from 2001:db8::1 on", "2001:db8::1"],
    ["UUID", "id 123e4567-e89b-12d3-a456-426614174000.", "123e4567-e89b-12d3-a456-426614174000"],
    ["NUMBER", "took -1.5 s", "-1.5"],
    ["QS", 'said "a \\"b\\" c" twice', 'a \\"b\\" c'],
    ["TIMESTAMP_ISO8601", "at 2024-01-02T03:04:05.678+02:00 it", "2024-01-02T03:04:05.678+02:00"],
    ["HTTPDATE", "[10/Oct/2000:13:55:36 -0700]", "10/Oct/2000:13:55:36 -0700"],
    ["LOGLEVEL", "a Warning b", "Warning"],
    ["URIPATH", "GET /a/b-c.html?x", "/a/b-c.html"],
    ["HOSTNAME", "example.com!", "example.com"],
    ["WORD", "--word--", "word"]
  ])("%s finds its kind", (name, line, expected) => {
    expect(parserOf(grok(`%{${name}:field}`)).parse(line, now)?.attributes).toEqual({ field: expected })
  })

  it("gives time, level, service, ids and types", () => {
    const spec = grok(
      "%{TIMESTAMP_ISO8601:time} %{LOGLEVEL:level} %{WORD:service} %{BASE16NUM:trace_id} %{INT:http.response.status_code:int} %{NUMBER:duration_ms:float} %{GREEDYDATA:message}"
    )
    const line = "2024-01-02T03:04:05Z warn api 4bf92f3577b34da6a3ce929d0e0e4736 404 1.50 not there"
    expect(parserOf(spec).parse(line, now)).toEqual({
      time: Date.UTC(2024, 0, 2, 3, 4, 5),
      level: "warn",
      service: "api",
      message: "not there",
      traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
      attributes: { "http.response.status_code": 404, duration_ms: 1.5 }
    })
  })

  it("takes definitions within definitions", () => {
    const spec = grok("%{OUTER}", { definitions: { OUTER: "user=%{NAME:user.name}", NAME: "[a-z]+" } })
    expect(parserOf(spec).parse("user=foo", now)?.attributes).toEqual({ "user.name": "foo" })
  })

  it.each([
    ["%{NOPE:x}", 'got "NOPE" at character 1'],
    ["ab %{IP:x", 'expected "}" behind "%{" at character 4'],
    ["%{IP:a b}", "expected a field's name"],
    ["%{IP:x:date}", "expected a type"],
    ["%{IP}", "expected a field"],
    ["(%{IP:x}", "missing closing )"],
    ["%{IP:x}(?=y)", "RE2"],
    ["x".repeat(patternMax + 1), `at most ${patternMax} characters`]
  ])("refuses %s", (pattern, fault) => {
    expect(faultOf(grok(pattern.slice(0, 6000)))).toContain(fault)
  })

  it("refuses definitions that never end, and those that grow without bound", () => {
    expect(faultOf(grok("%{A:x}", { definitions: { A: "%{A}" } }))).toContain("deep")
    const many = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`A${i}`, `%{A${i + 1}}`.repeat(20)]))
    expect(faultOf(grok("%{A0:x}", { definitions: { ...many, A11: "abc" } }))).toContain("characters")
  })
})

describe("regular expressions", () => {
  it("have named groups with dots, and a time format", () => {
    const spec: FormatSpec = {
      name: "own",
      kind: "regex",
      pattern: "^(?<time>\\S+ \\S+) \\[(?<level>\\w+)\\] (?P<user.name>\\w+): (?<message>.*)$",
      timeFormat: "%d.%m.%Y %H:%M:%S",
      test: "31.12.2025 10:00:01 [WARN] bob: hi"
    }
    expect(parserOf(spec).parse(spec.test!, now)).toMatchObject({
      time: Date.UTC(2025, 11, 31, 10, 0, 1),
      level: "warn",
      message: "hi",
      attributes: { "user.name": "bob" }
    })
    expect(faultOf({ ...spec, test: "something else" })).toContain("test line")
    expect(faultOf({ ...spec, timeFormat: "%Q" })).toContain("%Q")
    expect(faultOf({ ...spec, pattern: "(\\w+)" })).toContain("named group")
    expect(faultOf({ ...spec, pattern: "(?<a>\\w+) \\1" })).not.toBe("")
  })

  it("take time linear in the line, whatever they are", () => {
    const evil = parserOf({ name: "own", kind: "regex", pattern: "^(?<x>(a|a|ab?)*)*c$" })
    const from = performance.now()
    expect(evil.parse("a".repeat(20_000), now)).toBeUndefined()
    // A backtracking machine needs longer than the universe is old.
    expect(performance.now() - from).toBeLessThan(20_000)
  })
})

describe("tables", () => {
  it("are rows of known columns", () => {
    const spec: FormatSpec = {
      name: "own",
      kind: "csv",
      pattern: "time;level;message;shop",
      timeFormat: "%d.%m.%Y %H:%M"
    }
    expect(parserOf(spec).parse('31.12.2025 10:00;error;"a;b";7', now)).toMatchObject({
      time: Date.UTC(2025, 11, 31, 10),
      level: "error",
      message: "a;b",
      attributes: { shop: 7 }
    })
    expect(parserOf(spec).parse("too;few", now)).toBeUndefined()
    expect(faultOf({ ...spec, pattern: "a" })).toContain("header line")
    expect(faultOf({ ...spec, pattern: "a,a" })).toContain("twice")
  })
})

describe("a project's formats", () => {
  const spec = grok("^own %{WORD:user.name}$", { name: "mine" })

  it("are asked before the others, also in envelopes, and by name", () => {
    const made = compileAll([spec])
    if (!made.ok) throw new Error(made.fault)
    const custom = made.parsers
    expect(parseLine("own bob", { now, custom }).attributes).toEqual({ "user.name": "bob" })
    expect(parseLine("own bob", { now, custom, format: "mine" }).attributes).toEqual({ "user.name": "bob" })
    const docker = '{"log":"own bob\\n","stream":"stdout","time":"2024-01-02T03:04:05Z"}'
    expect(parseLine(docker, { now, custom }).attributes).toEqual({ "user.name": "bob", "log.iostream": "stdout" })
    expect(parseLine("other", { now, custom })).toEqual(parseLine("other", { now }))
  })

  it("are bounded, named once, and checked one by one", () => {
    const named = (name: string) => ({ ...spec, name })
    expect(compileAll(Array.from({ length: formatsMax + 1 }, (_, i) => named(`f${i}`))).ok).toBe(false)
    expect(compileAll([spec, spec])).toMatchObject({ ok: false, fault: 'expected each name once, got "mine" twice' })
    expect(compileAll([spec, named("Upper")])).toMatchObject({ ok: false })
    for (const wrong of [{}, { name: "a" }, { name: "a", kind: "grok" }, { name: "a", kind: "grok", pattern: 7 }]) {
      expect(faultOf(wrong)).toContain("expected")
    }
  })

  it("can be tried on lines", () => {
    const tried = tryOn(spec, ["own bob", "else"], now)
    if (!tried.ok) throw new Error(tried.fault)
    expect(tried.results.map(({ event }) => event?.attributes)).toEqual([{ "user.name": "bob" }, undefined])
    expect(tryOn(grok("%{X:y}"), [], now)).toMatchObject({ ok: false })
  })

  const pattern = Arbitrary.schema(Schema.String)
  prop("never throw, whatever was sent and whatever the line", [pattern, pattern], ([text, line]) => {
    for (const kind of ["grok", "regex", "csv"] as const) {
      const made = compile({ name: "own", kind, pattern: text })
      if (made.ok) made.parser.parse(line, now)
      const found = compile({ name: "own", kind, pattern: `(?<a>${text})` })
      if (found.ok) found.parser.parse(line, now)
    }
  })
})
