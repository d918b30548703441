/**
 * Odd sessions in 7,940 labelled ones of HDFS: precision, recall and F1 on the official test part, learnt from the normal
 * sessions of the training part, and from all of it without labels. Beside it the rule "has an event that no normal session
 * had". Reads the file that SEQUENCES_DATA names, or the one beside the checkout; without it there are no figures.
 */
import { existsSync, readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import { make } from "../src/analytics/anomaly/Sequences.ts"
import { type Bench, figure } from "./Bench.ts"

const file =
  process.env["SEQUENCES_DATA"] ?? new URL("../../shared/data/hdfs100k_sessions.ndjson.gz", import.meta.url).pathname

interface Session {
  readonly train: boolean
  readonly odd: boolean
  readonly events: ReadonlyArray<number>
}

const load = (): ReadonlyArray<Session> => {
  if (!existsSync(file)) return []
  const ids = new Map<string, number>()
  const idOf = (text: string): number => {
    if (!ids.has(text)) ids.set(text, ids.size + 1)
    return ids.get(text)!
  }
  const bytes = readFileSync(file)
  const text = (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8")
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const { label, split, templates }: { label: number; split: string; templates: ReadonlyArray<string> } =
        JSON.parse(line)
      return { train: split === "train", odd: label === 1, events: templates.map(idOf) }
    })
}

interface Quality {
  readonly precision: number
  readonly recall: number
  readonly f1: number
}

const qualityOf = (sessions: ReadonlyArray<Session>, isOdd: (session: Session) => boolean): Quality => {
  const told = sessions.filter(isOdd)
  const hits = told.filter(({ odd }) => odd).length
  const odd = sessions.filter((session) => session.odd).length
  return {
    precision: told.length === 0 ? 0 : hits / told.length,
    recall: odd === 0 ? 0 : hits / odd,
    f1: told.length + odd === 0 ? 0 : (2 * hits) / (told.length + odd)
  }
}

/** On the test part, learnt from the normal sessions of the training part; undefined where there is no data. */
export const evaluate = (): Quality | undefined => {
  const all = load()
  if (all.length === 0) return undefined
  return learnt(
    all.filter(({ odd, train }) => train && !odd),
    all.filter(({ train }) => !train),
    0.001
  )
}

const learnt = (sessions: ReadonlyArray<Session>, test: ReadonlyArray<Session>, rare: number): Quality => {
  const model = make({ rare })
  for (const { events } of sessions) model.learn(events)
  return qualityOf(test, ({ events }) => model.score(events).score >= 0.5)
}

const run: Bench["run"] = ({ log }) => {
  const all = load()
  if (all.length === 0) {
    log(`no data at ${file}: set SEQUENCES_DATA`)
    return Promise.resolve([])
  }
  const train = all.filter((session) => session.train)
  const normal = train.filter(({ odd }) => !odd)
  const test = all.filter((session) => !session.train)
  log(`${train.length} sessions to learn from (${normal.length} normal), ${test.length} to judge`)
  const known = new Set(normal.flatMap(({ events }) => events))
  const plain = qualityOf(test, ({ events }) => events.some((event) => !known.has(event)))
  const ours = learnt(normal, test, 0.001)
  const blind = learnt(train, test, 0.02)
  const model = make()
  for (const { events } of normal) model.learn(events)
  const started = performance.now()
  for (const { events } of test) model.score(events)
  const micros = ((performance.now() - started) * 1_000) / test.length
  const peer = (value: number) => ({ name: "new event only", value })
  return Promise.resolve([
    figure("sequences", "F1, learnt from normal sessions", "", ours.f1, peer(plain.f1)),
    figure("sequences", "precision", "", ours.precision, peer(plain.precision)),
    figure("sequences", "recall", "", ours.recall, peer(plain.recall)),
    figure("sequences", "F1, learnt without labels", "", blind.f1, peer(plain.f1)),
    figure("sequences", "precision, learnt without labels", "", blind.precision, peer(plain.precision)),
    figure("sequences", "time per session", "µs", micros)
  ])
}

export const sequences: Bench = {
  name: "sequences",
  about: "odd sessions of HDFS: precision, recall, F1",
  peers: ["new event only"],
  run
}
