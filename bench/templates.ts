/**
 * Finding templates on LogHub-2k (corrected), one configuration for all systems: grouping accuracy (GA), parsing accuracy
 * (PA), F1 of groups (FGA) and of templates (FTA), as the literature defines them, and lines per second on one core. Beside
 * it a plain Drain of our own with masks of its own. Reads the data where TEMPLATES_DATA points, or beside the checkout;
 * without it there are no figures.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { parse } from "csv-parse/sync"
import { parseLine } from "../src/parse/all.ts"
import { bodyOf } from "../src/parse/templates/Header.ts"
import { Miner } from "../src/parse/templates/Miner.ts"
import { type Bench, figure, type Figure, median } from "./Bench.ts"

const data = process.env["TEMPLATES_DATA"] ?? new URL("../../shared/data/loghub/", import.meta.url).pathname
const ending = "_2k.structured_corrected.csv"

interface System {
  readonly name: string
  readonly contents: ReadonlyArray<string>
  readonly truth: ReadonlyArray<string>
  /** The whole lines, where they are there. */
  readonly lines: ReadonlyArray<string> | undefined
}

const systems = (): ReadonlyArray<System> =>
  existsSync(data)
    ? readdirSync(data)
        .filter((file) => file.endsWith(ending))
        .toSorted()
        .map((file) => {
          const name = file.slice(0, -ending.length)
          const rows: ReadonlyArray<Record<string, string>> = parse(readFileSync(`${data}/${file}`), {
            columns: true,
            relax_quotes: true
          })
          const raw = `${data}/${name}_2k.log`
          return {
            name,
            contents: rows.map((row) => row["Content"]!),
            truth: rows.map((row) => row["EventTemplate"]!),
            lines: existsSync(raw) ? readFileSync(raw, "utf8").split(/\r?\n/u).slice(0, rows.length) : undefined
          }
        })
    : []

/** A group per message and the text of each group. */
interface Found {
  readonly groups: ReadonlyArray<number>
  readonly textOf: (group: number) => string
}

/** Templates as a project sees them afterwards: an id that was taken in by another counts as that. */
const mine = (messages: ReadonlyArray<string>): Found => {
  const miner = new Miner()
  const ids = messages.map((message) => miner.learn(message))
  const aliases = new Map(miner.takeChanged().map(({ alias, id }) => [id, alias]))
  return { groups: ids.map((id) => aliases.get(id) ?? id), textOf: (id) => miner.text(id) ?? "" }
}

/** As each line was marked when it came. */
const mineAtOnce = (messages: ReadonlyArray<string>): Found => {
  const miner = new Miner()
  return { groups: messages.map((message) => miner.learn(message)), textOf: () => "" }
}

const masks: ReadonlyArray<readonly [RegExp, string]> = [
  [/\bhttps?:\/\/\S+/gu, "<*>"],
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/giu, "<*>"],
  [/\bblk_-?\d+\b/gu, "<*>"],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/gu, "<*>"],
  [/\b0x[0-9a-f]+\b/giu, "<*>"],
  [/(?<=^|\s)\/[\w./-]+/gu, "<*>"],
  [/\b\d+(?:\.\d+)?(?:ms|s|KB|MB|GB|B)?\b/gu, "<*>"]
]

interface Cluster {
  readonly id: number
  readonly tokens: Array<string>
}

/** Drain (He et al., 2017): length, then the first two tokens, then the most similar at or above 0.4. */
const drain = (messages: ReadonlyArray<string>): Found => {
  const depth = 2
  const threshold = 0.4
  const childrenMax = 100
  const leaves = new Map<string, Array<Cluster>>()
  const children = new Map<string, Set<string>>()
  const clusters: Array<Cluster> = []
  const pathOf = (tokens: ReadonlyArray<string>): string => {
    let path = String(tokens.length)
    for (const token of tokens.slice(0, depth)) {
      const known = children.get(path) ?? new Set()
      children.set(path, known)
      const key = /\d/u.test(token) || (!known.has(token) && known.size >= childrenMax) ? "<*>" : token
      known.add(key)
      path += `\n${key}`
    }
    return path
  }
  const groups = messages.map((message) => {
    const tokens = masks
      .reduce((text, [mask, by]) => text.replace(mask, by), message)
      .trim()
      .split(/\s+/u)
    const path = pathOf(tokens)
    const leaf = leaves.get(path) ?? []
    leaves.set(path, leaf)
    let best: Cluster | undefined
    let bestSame = threshold
    for (const cluster of leaf) {
      const same = cluster.tokens.filter((token, i) => token === tokens[i]).length / tokens.length
      if (same >= bestSame) [best, bestSame] = [cluster, same]
    }
    if (best === undefined) {
      best = { id: clusters.length, tokens }
      clusters.push(best)
      leaf.push(best)
    } else for (let i = 0; i < tokens.length; i++) if (best.tokens[i] !== tokens[i]) best.tokens[i] = "<*>"
    return best.id
  })
  return { groups, textOf: (id) => clusters[id]!.tokens.join(" ") }
}

interface Scores {
  readonly GA: number
  readonly PA: number
  readonly FGA: number
  readonly FTA: number
}

const plain = (text: string): string => text.replace(/\s+/gu, " ").trim()

const f1 = (right: number, found: number, there: number): number => (right === 0 ? 0 : (2 * right) / (found + there))

/** The four scores; texts are compared with runs of blanks as one blank, and in no other way made alike. */
const scores = ({ groups, textOf }: Found, truth: ReadonlyArray<string>): Scores => {
  const wanted = truth.map(plain)
  const sizes = Map.groupBy(wanted, (text) => text)
  const found = Map.groupBy(groups.keys(), (index) => groups[index]!)
  let linesRight = 0
  let groupsRight = 0
  let textsRight = 0
  let linesExact = 0
  for (const [group, lines] of found) {
    const text = plain(textOf(group))
    const [only, ...others] = new Set(lines.map((line) => wanted[line]!))
    linesExact += lines.filter((line) => wanted[line] === text).length
    if (others.length > 0) continue
    if (only === text) textsRight++
    if (sizes.get(only!)!.length !== lines.length) continue
    linesRight += lines.length
    groupsRight++
  }
  return {
    GA: linesRight / groups.length,
    PA: linesExact / groups.length,
    FGA: f1(groupsRight, found.size, sizes.size),
    FTA: f1(textsRight, found.size, sizes.size)
  }
}

const mean = (all: ReadonlyArray<Scores>): Scores => {
  const of = (key: keyof Scores): number => all.reduce((sum, one) => sum + one[key], 0) / all.length
  return { GA: of("GA"), PA: of("PA"), FGA: of("FGA"), FTA: of("FTA") }
}

/** By the time that the processor spent, so that a busy machine does not count. */
const speed = (all: ReadonlyArray<System>, run: (messages: ReadonlyArray<string>) => unknown): number => {
  const messages = all.flatMap(({ contents }) => contents)
  const rates = Array.from({ length: 5 }, () => {
    const start = process.cpuUsage()
    run(messages)
    const { system, user } = process.cpuUsage(start)
    return (messages.length * 1_000_000) / (user + system)
  })
  return median(rates)
}

/** The mean of our scores over all systems; undefined where there is no data. */
export const evaluate = (): Scores | undefined => {
  const all = systems().map(({ contents, truth }) => scores(mine(contents), truth))
  return all.length === 0 ? undefined : mean(all)
}

const row = (name: string, ours: Scores, peer: Scores, whole: string): string => {
  const cells = ({ FGA, FTA, GA, PA }: Scores): string => [GA, PA, FGA, FTA].map((n) => n.toFixed(3)).join(" ")
  return `${name.padEnd(12)} ${cells(ours)}   ${cells(peer)}   ${whole}`
}

export const templates: Bench = {
  name: "templates",
  about: "templates on LogHub-2k with one configuration: GA, PA, FGA, FTA and lines per second, against a plain Drain",
  peers: ["drain"],
  run: async ({ log }) => {
    const all = systems()
    if (all.length === 0) log(`no data in ${data}: set TEMPLATES_DATA`)
    log("               GA    PA    FGA   FTA   of Drain GA PA FGA FTA    GA of whole lines, GA as marked at once")
    const results = all.map(({ contents, lines, name, truth }) => {
      const ours = scores(mine(contents), truth)
      const peer = scores(drain(contents), truth)
      const bodies = lines?.map((line) => bodyOf(parseLine(line, { now: Date.UTC(2026, 0, 1) })))
      const whole = bodies === undefined ? undefined : scores(mine(bodies), truth)
      const atOnce = scores(mineAtOnce(contents), truth).GA
      log(row(name, ours, peer, `${whole?.GA.toFixed(3) ?? "-"} ${atOnce.toFixed(3)}`))
      return { ours, peer }
    })
    if (results.length === 0) return []
    const ours = mean(results.map((result) => result.ours))
    const peer = mean(results.map((result) => result.peer))
    log(row("mean", ours, peer, ""))
    const figures: Array<Figure> = (["GA", "PA", "FGA", "FTA"] as const).map((key) =>
      figure("templates", key, "0 to 1", ours[key], { name: "drain", value: peer[key] })
    )
    const rates = { ours: speed(all, mine), peer: speed(all, drain) }
    return [...figures, figure("templates", "speed", "lines/s", rates.ours, { name: "drain", value: rates.peer })]
  }
}
