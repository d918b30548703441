/**
 * How well questions in other words find the templates that answer them: mean reciprocal rank among the first ten, over all
 * templates of LogHub's systems that lie beside the project where it is developed. Three sets of questions: given ones, ours
 * that the lexicon was tuned with, ours that it was not; and all of them with each system judged by the tuning that is best
 * for the others. The peer is BM25+ over the same words. Other data: `node bench/semantic.ts FOLDER QUESTIONS.json`, the folder
 * with LogHub's CSV files (columns EventId, EventTemplate), the questions as `[{"q": "…", "rel": ["System:E1"]}]`.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs"
import { fileURLToPath, pathToFileURL } from "node:url"
import { parse } from "csv-parse/sync"
import { dimensions, embed, Matrix } from "../src/analytics/Embeddings.ts"
import { SemanticIndex } from "../src/analytics/SemanticIndex.ts"
import { termsOf } from "../src/analytics/Terms.ts"
import { type Tuning, tuning } from "../src/analytics/Tuning.ts"
import { isStopWord, split, stem } from "../src/analytics/Words.ts"
import { type Bench, type Figure, figure } from "./Bench.ts"

const data = new URL("../../shared/data/", import.meta.url)
const ours = new URL("data/semantic_questions.txt", import.meta.url)

export interface Question {
  readonly set: "given" | "tune" | "check"
  readonly asked: string
  /** `System:event` of the templates that answer it. */
  readonly answers: ReadonlyArray<string>
}
export interface Template {
  readonly id: string
  readonly text: string
}

export const isThere = (): boolean => existsSync(data)

/** The templates of every system in the folder. */
export const templates = (folder: URL = new URL("loghub/", data)): ReadonlyArray<Template> => {
  const texts = new Map<string, string>()
  for (const name of readdirSync(folder).toSorted()) {
    if (!name.endsWith(".csv")) continue
    const rows = parse(readFileSync(new URL(name, folder)), { columns: true, bom: true, relax_quotes: true })
    for (const row of rows as ReadonlyArray<Record<string, string>>) {
      texts.set(`${name.split("_")[0]}:${row["EventId"]}`, row["EventTemplate"] ?? "")
    }
  }
  return [...texts].map(([id, text]) => ({ id, text }))
}

const given = (file: URL = new URL("semantic_queries_dev.json", data)): ReadonlyArray<Question> =>
  (
    JSON.parse(readFileSync(file, "utf8")) as ReadonlyArray<{
      readonly q: string
      readonly rel: ReadonlyArray<string>
    }>
  ).map(({ q, rel }) => ({ set: "given", asked: q, answers: rel }))

const own = (): ReadonlyArray<Question> => {
  let set: Question["set"] = "tune"
  return readFileSync(ours, "utf8")
    .split("\n")
    .flatMap((line) => {
      if (line.startsWith("[")) set = line.slice(1, -1) as Question["set"]
      const [asked, answers] = line.split(" | ")
      return answers === undefined || line.startsWith("#") ? [] : [{ set, asked: asked!, answers: answers.split(" ") }]
    })
}

export const questions = (): ReadonlyArray<Question> => [...given(), ...own()]

/** Numbers of templates for a question, best first. */
export type Ranker = (question: string) => ReadonlyArray<number>

/** BM25+ (k1 1.2, b 0.7, delta 0.5) over stems, no lexicon. */
export const bm25 = (list: ReadonlyArray<Template>): Ranker => {
  const words = (text: string) =>
    split(text)
      .words.filter((word) => !isStopWord(word))
      .map(stem)
  const texts = list.map(({ text }) => words(text))
  const mean = texts.reduce((sum, text) => sum + text.length, 0) / Math.max(1, texts.length)
  const counts = new Map<string, Map<number, number>>()
  for (const [index, text] of texts.entries()) {
    for (const word of text) {
      const found = counts.get(word) ?? new Map<number, number>()
      counts.set(word, found.set(index, (found.get(index) ?? 0) + 1))
    }
  }
  return (question) => {
    const scores = new Map<number, number>()
    for (const word of words(question)) {
      const found = counts.get(word) ?? new Map<number, number>()
      const idf = Math.log(1 + (list.length - found.size + 0.5) / (found.size + 0.5))
      for (const [index, n] of found) {
        const by = idf * (0.5 + (n * 2.2) / (n + 1.2 * (0.3 + (0.7 * texts[index]!.length) / mean)))
        scores.set(index, (scores.get(index) ?? 0) + by)
      }
    }
    return [...scores].toSorted((a, b) => b[1] - a[1]).map(([index]) => index)
  }
}

const vectorsOnly = (matrix: Matrix): Ranker => {
  return (question) => {
    const nearness = matrix.nearness(embed(question))
    return [...nearness.keys()].toSorted((a, b) => nearness[b]! - nearness[a]!).slice(0, 10)
  }
}

const indexOf = (list: ReadonlyArray<Template>, t: Tuning): SemanticIndex =>
  new SemanticIndex(
    list.map((template) => termsOf(template, t)),
    t
  )

const hybrid = (list: ReadonlyArray<Template>, matrix: Matrix, t: Tuning): Ranker => {
  const index = indexOf(list, t)
  return (question) => index.search(question, 10, [matrix.nearness(embed(question))]).map((match) => match.index)
}

export const matrixOf = (list: ReadonlyArray<Template>): Matrix =>
  new Matrix(
    list.map(({ text }) => embed(text)),
    dimensions
  )

/** 1 / rank of the first answer among the first ten, else 0. */
const reciprocal = (rank: Ranker, list: ReadonlyArray<Template>, question: Question): number => {
  const place = rank(question.asked)
    .slice(0, 10)
    .findIndex((index) => question.answers.includes(list[index]!.id))
  return place < 0 ? 0 : 1 / (place + 1)
}

export interface Scores {
  readonly mrr: number
  readonly first: number
  readonly ten: number
}
export const scores = (rank: Ranker, list: ReadonlyArray<Template>, asked: ReadonlyArray<Question>): Scores => {
  const all = asked.map((question) => reciprocal(rank, list, question))
  const share = (f: (r: number) => number) => all.reduce((sum, r) => sum + f(r), 0) / Math.max(1, all.length)
  return { mrr: share((r) => r), first: share((r) => (r === 1 ? 1 : 0)), ten: share((r) => (r > 0 ? 1 : 0)) }
}

/** Values around the chosen ones, from which leaving a system out may choose others. */
const others: ReadonlyArray<Partial<Tuning>> = [
  {},
  { ownRarity: 0 },
  { ownRarity: 0.5 },
  { length: 0 },
  { length: 0.25 },
  { cover: 0 },
  { cover: 0.8 },
  { vector: 0 },
  { vector: 0.5 },
  { inner: 0.3 },
  { inner: 0.8 }
]

const systemOf = (question: Question): string => question.answers[0]!.split(":")[0]!

/** Each system's questions with the tuning that is best for the questions of all other systems: mean over all questions. */
export const leftOut = (list: ReadonlyArray<Template>, asked: ReadonlyArray<Question>, matrix: Matrix): number => {
  const table = others.map((change) => {
    const rank = hybrid(list, matrix, { ...tuning, ...change })
    return asked.map((question) => reciprocal(rank, list, question))
  })
  const sumOf = (row: ReadonlyArray<number>, wanted: (question: Question) => boolean) =>
    row.reduce((sum, r, i) => sum + (wanted(asked[i]!) ? r : 0), 0)
  let total = 0
  for (const system of new Set(asked.map(systemOf))) {
    const best = table.toSorted(
      (a, b) => sumOf(b, (q) => systemOf(q) !== system) - sumOf(a, (q) => systemOf(q) !== system)
    )[0]!
    total += sumOf(best, (question) => systemOf(question) === system)
  }
  return total / asked.length
}

/** Figures of one set of questions, each ranker against BM25+. */
const figuresOf = (
  name: string,
  list: ReadonlyArray<Template>,
  asked: ReadonlyArray<Question>,
  matrix: Matrix
): ReadonlyArray<Figure> => {
  const peer = scores(bm25(list), list, asked)
  const index = indexOf(list, tuning)
  const rankers: Readonly<Record<string, Ranker>> = {
    vectors: vectorsOnly(matrix),
    words: (question) => index.search(question, 10).map((match) => match.index),
    hybrid: hybrid(list, matrix, tuning)
  }
  return Object.entries(rankers).flatMap(([ranker, rank]) => {
    const mine = scores(rank, list, asked)
    const one = (metric: string, key: keyof Scores) =>
      figure("semantic", `${name} (${asked.length}) ${ranker} ${metric}`, "", mine[key], {
        name: "bm25+",
        value: peer[key]
      })
    return [one("mrr@10", "mrr"), one("hit@1", "first"), one("hit@10", "ten")]
  })
}

/** Processor time of a question, µs. */
const cost = (list: ReadonlyArray<Template>, asked: ReadonlyArray<Question>, matrix: Matrix): number => {
  const rank = hybrid(list, matrix, tuning)
  for (const { asked: question } of asked) rank(question)
  const before = process.cpuUsage()
  const rounds = 5
  for (let i = 0; i < rounds; i++) for (const { asked: question } of asked) rank(question)
  const { system, user } = process.cpuUsage(before)
  return (system + user) / (rounds * asked.length)
}

const run = (log: (line: string) => void): ReadonlyArray<Figure> => {
  if (!isThere()) {
    log("semantic: skipped, LogHub's templates are not at ../shared/data")
    return []
  }
  const list = templates()
  const asked = questions()
  const matrix = matrixOf(list)
  return [
    ...(["given", "tune", "check"] as const).flatMap((set) =>
      figuresOf(
        set,
        list,
        asked.filter((question) => question.set === set),
        matrix
      )
    ),
    figure("semantic", "left-out systems mrr@10", "", leftOut(list, asked, matrix)),
    figure("semantic", `a query over ${list.length} templates`, "µs cpu", cost(list, asked, matrix))
  ]
}

export const semantic: Bench = {
  name: "semantic",
  about: "questions in other words against LogHub's templates: mean reciprocal rank",
  peers: ["bm25+"],
  run: async ({ log }) => run(log)
}

const show = ({ metric, ours: value, peer_value: peer, unit }: Figure): void =>
  console.log(metric.padEnd(40), value, unit, peer === null ? "" : `(bm25+ ${peer})`)

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , folder, file] = process.argv
  if (folder === undefined || file === undefined) run(console.log).forEach(show)
  else {
    const list = templates(pathToFileURL(`${folder}/`))
    figuresOf("asked", list, given(pathToFileURL(file)), matrixOf(list)).forEach(show)
  }
}
