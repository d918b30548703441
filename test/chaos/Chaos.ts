/**
 * A run of chaos from start to judgement: work is asked for, harm is done, both by a script from the seed; then everything is
 * healed, the engine gets time to finish, and the checks speak. Promises that the same seed does the same deeds.
 */
import { Cause, Effect } from "effect"
import { setTimeout as pause } from "node:timers/promises"
import { Engine, type EnqueueError } from "../../src/jobs/Engine.ts"
import { type Arena, type ArenaOptions, makeArena } from "./Arena.ts"
import * as Checks from "./Checks.ts"
import { nowMs } from "./Clock.ts"
import { historyOf } from "./History.ts"
import * as Leases from "./Leases.ts"
import { type Harm, runsOf } from "./Ledger.ts"
import { dice } from "./Seed.ts"
import { storiesOf } from "./Story.ts"
import { act, type Deed, schedule, type VerbName, words } from "./Verbs.ts"
import { holdings, watchLag, whatIsLeft } from "./Watch.ts"
import { type Ask, workload } from "./Workload.ts"

export interface Plan extends Partial<ArenaOptions> {
  readonly seed: number
  readonly forMs: number
  /** Asks in a second; default 60. */
  readonly asksPerSecond?: number
  /** Deeds in a second; default 1. */
  readonly deedsPerSecond?: number
  readonly only?: ReadonlyArray<VerbName>
  /** Said as it happens. */
  readonly say?: (line: string) => void
}

export interface Verdict {
  /** What was done. */
  readonly deeds: ReadonlyArray<Deed>
  readonly findings: ReadonlyArray<string>
  /** What happened to the first jobs that findings name. */
  readonly stories: ReadonlyArray<string>
  /** What was counted, to be read by people. */
  readonly figures: Readonly<Record<string, number>>
}

const checks: Readonly<Record<string, Checks.Check>> = {
  "nothing lost": Checks.nothingLost,
  "all ended": Checks.allEnded,
  "order legal": Checks.orderLegal,
  "queued once": Checks.queuedOnce,
  "unique alone": Checks.uniqueAlone,
  "results earned": Checks.resultsEarned,
  "revokes kept": Checks.revokesKept,
  "events true": Checks.eventsTrue,
  "lag true": Checks.lagTrue,
  "nothing leaks": Checks.nothingLeaks,
  "orphans in time": Leases.orphansInTime,
  "never two at once": Leases.neverTwoAtOnce
}

/** The findings of all checks, each with its check's name. */
export const judge = (evidence: Checks.Evidence): ReadonlyArray<string> =>
  Object.entries(checks).flatMap(([name, check]) => {
    const findings = check(evidence)
    const shown = findings.slice(0, 10).map((finding) => `${name}: ${finding}`)
    return findings.length > 10 ? [...shown, `${name}: … and ${findings.length - 10} more`] : shown
  })

/** How long the engine may take to finish all, once nothing harms it any more, ms. */
const finishMaxMs = 30_000

export const run = async (plan: Plan): Promise<Verdict> => {
  const say = plan.say ?? (() => {})
  const options: ArenaOptions = {
    workers: plan.workers ?? 3,
    concurrency: plan.concurrency ?? 8,
    leaseMs: plan.leaseMs ?? 1_500,
    fsync: plan.fsync ?? "always"
  }
  const chance = dice(plan.seed)
  const { forMs } = plan
  const { leaseMs, workers } = options
  const asks = workload(chance.fork("work"), { forMs, leaseMs, perSecond: plan.asksPerSecond ?? 60 })
  const deeds = schedule(chance.fork("harm"), {
    forMs,
    workers,
    perSecond: plan.deedsPerSecond ?? 1,
    ...(plan.only === undefined ? {} : { only: plan.only })
  })
  await using arena = await makeArena(options)
  const startedAt = nowMs()
  const stopLooking = watchLag(arena)
  const asking = Promise.all(asks.map((ask) => at(startedAt, ask.at, () => put(arena, ask))))
  const harming = Promise.all(deeds.map((deed) => at(startedAt, deed.at, () => (say(words(deed)), act(arena, deed)))))
  await harming
  await arena.heal()
  await asking
  say("healed; waiting for the queues to be empty")
  const healedAt = nowMs()
  const held = await emptied(arena, say)
  const finishMs = nowMs() - healedAt
  // One more look at rest, so that lag is judged there too.
  await pause(50)
  const looks = await stopLooking()
  const lines = arena.ledger.lines()
  const stalls = lines.flatMap((line): ReadonlyArray<Harm> =>
    line[3] === "stalled" ? [{ verb: "stalled", worker: line[1], from: line[4], until: line[0] }] : []
  )
  const { answers, deaths, harms, revocations } = arena.ledger
  const evidence: Checks.Evidence = {
    leaseMs,
    answers,
    revocations,
    deaths,
    harms: [...harms, ...stalls],
    runs: runsOf(lines),
    history: historyOf(arena.server.written(), arena.namespace),
    looks,
    left: await whatIsLeft(arena),
    held
  }
  const findings = judge(evidence)
  return {
    deeds,
    findings,
    stories: storiesOf(evidence, findings),
    figures: { ...figuresOf(evidence, deeds), finishMs: Math.round(finishMs) }
  }
}

const figuresOf = ({ answers, history, looks, runs }: Checks.Evidence, deeds: ReadonlyArray<Deed>) => {
  const told = (word: string) => answers.filter((a) => a.told === word).length
  return {
    deeds: deeds.length,
    asked: answers.length,
    accepted: told("accepted"),
    known: told("known"),
    maybe: told("maybe"),
    jobs: history.steps.size,
    runs: runs.length,
    neverTold: runs.filter((r) => r.how === "never told").length,
    looks: looks.count,
    looksWrong: looks.wrong.length
  }
}

/** Acts at a time of the run; a deed that fails is a fault of the harness. */
const at = async <A>(startedAt: number, ms: number, what: () => A | Promise<A>): Promise<A> => {
  await pause(Math.max(0, startedAt + ms - nowMs()))
  return what()
}

/** How often an ask is repeated whose answer was lost: it is under way for ten seconds at least. */
const asksMax = 100

/** Asks for a job, again under the same id where it insists, and revokes it where it is told to. */
const put = async (arena: Arena, ask: Ask): Promise<void> => {
  for (let i = 1; ; i++) {
    const asked = Engine.use((engine) => Effect.exit(engine.offer(ask.job, ask.options)))
    const exit = await arena.call(asked)
    if (exit._tag === "Success") {
      const { duplicate, id } = exit.value
      arena.ledger.answers.push({ ask, at: nowMs(), told: duplicate ? "known" : "accepted", id })
      return ask.revokeAfter === undefined ? undefined : revoke(arena, id, ask.revokeAfter)
    }
    const error = Cause.squash(exit.cause) as EnqueueError
    if (error._tag === "EngineUnavailable" && ask.insist && i < asksMax) {
      await pause(100)
      continue
    }
    const told = error._tag === "EngineUnavailable" ? "maybe" : "refused"
    return void arena.ledger.answers.push({ ask, at: nowMs(), told, id: undefined, why: error.message })
  }
}

const revoke = async (arena: Arena, id: string, afterMs: number): Promise<void> => {
  await pause(afterMs)
  const answer = await arena.steer((control) => control.revoke(id))
  arena.ledger.revocations.push({ id, at: nowMs(), answer })
}

/** What the queues still hold when they are empty, or when time is up. */
const emptied = async (arena: Arena, say: (line: string) => void): Promise<Record<string, string>> => {
  const until = nowMs() + finishMaxMs
  for (let look = 1; ; look++) {
    const held = await holdings(arena)
    if (Object.keys(held).length === 0 || nowMs() > until) return held
    if (look % 20 === 0)
      say(
        Object.entries(held)
          .map(([queue, what]) => `${queue}: ${what}`)
          .join(" · ")
      )
    await pause(50)
  }
}
