/**
 * The formats against real lines of other people's systems with known times, levels and fields. The data lies beside the
 * project where it is developed; without it these tests are skipped.
 */
import { existsSync, readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { type Level, fromName } from "../../src/domain/Level.ts"
import { examplesOf, samplesOf, scoreOf } from "../../bench/formats.ts"
import { parseLine } from "../../src/parse/all.ts"

const data = new URL("../../../shared/data/", import.meta.url)
const there = existsSync(data)
const now = Date.UTC(2026, 10, 23, 20)
const read = (name: string): string => readFileSync(new URL(name, data), "utf8")

/** Rows of a CSV file, by column. */
const rowsOf = (text: string): ReadonlyArray<Readonly<Record<string, string>>> => {
  const rows: Array<Array<string>> = [[]]
  for (const [, quoted, bare, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gu)) {
    rows.at(-1)!.push(quoted?.replaceAll('""', '"') ?? bare ?? "")
    if (end !== ",") rows.push([])
  }
  const [head = [], ...rest] = rows.filter((row) => row.length > 1)
  return rest.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index] ?? ""])))
}

type Row = Readonly<Record<string, string>>
const two = (text: string): string => text.padStart(2, "0")
const month = (name: string): string => two(String("JanFebMarAprMayJunJulAugSepOctNovDec".indexOf(name) / 3 + 1))
const iso = (date: string, time: string): number => Date.parse(`${date}T${time}Z`)
const six = (text: string, by: string): string => text.padStart(6, "0").replace(/(..)(..)(..)/u, `$1${by}$2${by}$3`)

/** The true time of a row, from its columns. */
const times: Readonly<Record<string, (row: Row) => number>> = {
  Android: (row) => iso(`2026-${row["Date"]!}`, row["Time"]!),
  Apache: (row) => {
    const [, name, dom, time, year] = row["Time"]!.split(" ")
    return iso(`${year}-${month(name!)}-${two(dom!)}`, time!)
  },
  BGL: (row) => Number(row["Timestamp"]) * 1000,
  HDFS: (row) => iso(`20${six(row["Date"]!, "-")}`, six(row["Time"]!, ":")),
  HPC: (row) => Number(row["Time"]) * 1000,
  Hadoop: (row) => iso(row["Date"]!, row["Time"]!.replace(",", ".")),
  HealthApp: (row) => {
    const [date, hour, minute, second, ms] = row["Time"]!.split(/[-:]/u)
    return (
      iso(date!.replace(/(....)(..)(..)/u, "$1-$2-$3"), `${two(hour!)}:${two(minute!)}:${two(second!)}`) + Number(ms)
    )
  },
  Linux: (row) => iso(`2026-${month(row["Month"]!)}-${two(row["Date"]!)}`, row["Time"]!),
  Spark: (row) => iso(`20${row["Date"]!.replaceAll("/", "-")}`, row["Time"]!),
  Windows: (row) => iso(row["Date"]!, row["Time"]!)
}

/** Of Linux' lines, the two that a program itself calls a warning; the data has no levels there, nor for HPC and HealthApp. */
const levelOf = (system: string, row: Row): Level => {
  if (system === "Linux") return row["Content"]!.startsWith("warning: ") ? "warn" : "unknown"
  return row["Level"] === undefined ? "unknown" : fromName(row["Level"])!
}

describe.skipIf(!there)("LogHub (skipped where ../shared/data is absent)", () => {
  it.each(Object.keys(times))("%s: time, level and component of every line, and nothing lost", (system) => {
    const lines = read(`loghub/${system}_2k.log`).split(/\r?\n/u)
    const rows = rowsOf(read(`loghub/${system}_2k.structured_corrected.csv`))
    expect(rows.length).toBe(2000)
    const wrong = rows.flatMap((row, index) => {
      const line = lines[index]!
      const event = parseLine(line, { now })
      const service = row["Component"] ?? ""
      const whole = system === "Linux" ? event.message.trim() === row["Content"]!.trim() : event.message === line
      const right =
        event.time === times[system]!(row) &&
        event.level === levelOf(system, row) &&
        (event.service === service || service.startsWith("-- ")) &&
        whole
      return right ? [] : [{ line, event, row }]
    })
    expect(wrong).toEqual([])
  })
})

describe.skipIf(!there)("other people's lines (skipped where ../shared/data is absent)", () => {
  it.each([
    ["60 programs", samplesOf],
    ["Vector's examples", examplesOf]
  ] as const)("gives the fields and times of %s", (_, samples) => {
    const score = scoreOf(samples(new URL("parse/", data)))
    expect(score.fields).toBeGreaterThan(200)
    expect(1 - score.missed / score.fields).toBeGreaterThan(0.96)
    expect(1 - score.wrong / score.times).toBeGreaterThan(0.99)
  })

  it.each([
    ["parse_glog", { level: "info", time: Date.UTC(2021, 0, 31, 14, 48, 54, 411) }],
    ["parse_klog", { level: "info", time: Date.UTC(2026, 4, 5, 17, 59, 40, 692) }],
    ["parse_linux_authorization", { service: "sshd", time: Date.UTC(2026, 2, 23, 1, 49, 58) }],
    ["parse_syslog", { service: "non", level: "info", time: Date.UTC(2020, 2, 13, 20, 45, 38, 119) }],
    ["parse_common_log", { level: "info", time: Date.UTC(2000, 9, 10, 20, 55, 36) }]
  ])("%s", (name, expected) => {
    const samples = read("parse/vrl_parse_examples.ndjson")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { fn: string; source: string })
    const source = samples.find((sample) => sample.fn === name)!.source
    const line = /s'((?:[^'\\]|\\.)*)'/u.exec(source)?.[1] ?? /"((?:[^"\\]|\\.)*)"/u.exec(source)![1]!
    expect(parseLine(line, { now })).toMatchObject(expected)
  })
})
