/**
 * Rate anomalies on the Numenta Anomaly Benchmark, one configuration for all series: the published score (nab_score.ts) with the
 * threshold that is best for all of them, with one fixed on half of the series and judged on the other half, both ways, and with
 * the detector's own 0.5; time per point. Beside it a windowed Gaussian of our own; a detector that never speaks has 0. Reads series and
 * `windows.json` where NAB_DATA points, or beside the checkout; without them there are no figures.
 */
import { existsSync, readFileSync } from "node:fs"
import { make } from "../src/analytics/anomaly/Rate.ts"
import { type Bench, figure, type Figure, median } from "./Bench.ts"
import { type Series, best, judge, probation, total } from "./nab_score.ts"

const data = process.env["NAB_DATA"] ?? new URL("../../shared/data/nab/", import.meta.url).pathname

/** "2014-04-10 07:15:00.000000" as epoch ms. */
const timeOf = (text: string): number => Date.parse(`${text.slice(0, 19).replace(" ", "T")}Z`)

const load = (): ReadonlyArray<Series> => {
  if (!existsSync(`${data}/windows.json`)) return []
  const labels: Readonly<Record<string, ReadonlyArray<readonly [string, string]>>> = JSON.parse(
    readFileSync(`${data}/windows.json`, "utf8")
  )
  return Object.entries(labels)
    .filter(([name]) => existsSync(`${data}/${name}`))
    .map(([name, windows]): Series => {
      const rows = readFileSync(`${data}/${name}`, "utf8")
        .trim()
        .split(/\r?\n/u)
        .slice(1)
        .map((row) => row.split(","))
      const times = rows.map(([time]) => timeOf(time!))
      return {
        name,
        times,
        values: rows.map(([, value]) => Number(value)),
        windows: windows.map(([from, to]) => {
          const first = Math.max(
            0,
            times.findIndex((time) => time >= timeOf(from))
          )
          const last = times.findLastIndex((time) => time <= timeOf(to))
          return [first, Math.max(first, last)] as const
        })
      }
    })
}

type Scores = ReadonlyArray<number>

const ours = (series: Series): Scores => {
  const model = make({ learn: probation(series.times.length) })
  return series.values.map((value, i) => model.push(series.times[i]!, value).score)
}

/** The distance from the mean of the last points in standard deviations, as the board's baseline measures it. */
const gaussian = ({ values }: Series): Scores => {
  const width = 6_400
  let [sum, squares] = [0, 0]
  return values.map((value, i) => {
    const n = Math.min(i, width)
    const mean = n === 0 ? value : sum / n
    const deviation = Math.sqrt(Math.max(0, n === 0 ? 0 : squares / n - mean * mean))
    sum += value - (i < width ? 0 : values[i - width]!)
    squares += value * value - (i < width ? 0 : values[i - width]! ** 2)
    return deviation === 0 ? (value === mean ? 0 : 1_000) : Math.abs(value - mean) / deviation
  })
}

/** Every series judged with the threshold that is best for the other half. */
const halved = (all: ReadonlyArray<Series>, scores: ReadonlyArray<Scores>, inFirst: (i: number) => boolean): number => {
  const thresholdOf = (first: boolean): number => {
    const own = all.map((_, i) => i).filter((i) => inFirst(i) === first)
    return best(
      own.map((i) => all[i]!),
      own.map((i) => scores[i]!)
    ).threshold
  }
  const [fromFirst, fromSecond] = [thresholdOf(true), thresholdOf(false)]
  return total(all.map((series, i) => judge(series, scores[i]!, inFirst(i) ? fromSecond : fromFirst)))
}

/** Repeatable splits into halves: alternating, first and second, and some that are shuffled. */
const splits = (n: number): ReadonlyArray<(i: number) => boolean> => {
  let seed = 1
  const next = () => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648)
  const shuffled = Array.from({ length: 8 }, () => {
    const order = Array.from({ length: n }, (_, i) => ({ i, by: next() })).toSorted((a, b) => a.by - b.by)
    const first = new Set(order.slice(0, n >> 1).map(({ i }) => i))
    return (i: number) => first.has(i)
  })
  return [(i) => i % 2 === 0, (i) => i < n / 2, ...shuffled]
}

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** The score with the best threshold and with one of the alternating other half; undefined where there is no data. */
export const evaluate = (): { readonly best: number; readonly halves: number } | undefined => {
  const all = load()
  if (all.length === 0) return undefined
  const scores = all.map(ours)
  return { best: best(all, scores).score, halves: halved(all, scores, (i) => i % 2 === 0) }
}

const run: Bench["run"] = ({ log }) => {
  const all = load()
  if (all.length === 0) {
    log(`no data in ${data}: set NAB_DATA`)
    return Promise.resolve([])
  }
  const points = all.reduce((sum, { values }) => sum + values.length, 0)
  const micros: Array<number> = []
  let scores: ReadonlyArray<Scores> = []
  for (let round = 0; round < 3; round++) {
    const started = performance.now()
    scores = all.map(ours)
    micros.push(((performance.now() - started) * 1_000) / points)
  }
  const windowed = all.map(gaussian)
  const top = best(all, scores)
  log(`${"series".padEnd(62)} windows  found  alarms  (threshold ${top.threshold.toFixed(3)})`)
  for (const [i, series] of all.entries()) {
    const { alarms, found, windows } = judge(series, scores[i]!, top.threshold)
    log(
      `${series.name.padEnd(62)} ${String(windows).padStart(7)}${String(found).padStart(7)}${String(alarms).padStart(8)}`
    )
  }
  const halves = splits(all.length).map((split) => halved(all, scores, split))
  const theirs = splits(all.length).map((split) => halved(all, windowed, split))
  log(`thresholds of halves: ${halves.map((score) => score.toFixed(1)).join(" ")}`)
  const at = (threshold: number) => total(all.map((series, i) => judge(series, scores[i]!, threshold)))
  const peer = (value: number) => ({ name: "windowed Gaussian", value })
  const figures: ReadonlyArray<Figure> = [
    figure("nab", "score, best threshold", "of 100", top.score, peer(best(all, windowed).score)),
    figure("nab", "score, threshold of the other half (mean of 10 splits)", "of 100", mean(halves), peer(mean(theirs))),
    figure("nab", "score, alternating halves", "of 100", halves[0]!, peer(theirs[0]!)),
    figure("nab", "score, threshold 0.5", "of 100", at(0.5), peer(best(all, windowed).score)),
    figure("nab", "time per point", "µs", median(micros))
  ]
  return Promise.resolve(figures)
}

export const nab: Bench = {
  name: "nab",
  about: "rate anomalies on the Numenta Anomaly Benchmark: the published score, time per point",
  peers: ["windowed Gaussian"],
  run
}
