/**
 * A run of chaos over lines, from start to judgement: lines are sent, harm is done by a script from the seed; then everything
 * is healed, what was accepted gets time to go through, and the checks speak. Promises that the same seed does the same deeds.
 */
import { setTimeout as pause } from "node:timers/promises"
import { dice } from "../chaos/Seed.ts"
import { type Arena, makeArena } from "./Arena.ts"
import { type Evidence, judge } from "./Checks.ts"
import type { Sending } from "./Ledger.ts"
import { makeSender } from "./Senders.ts"
import { act, type Deed, schedule, type VerbName, words } from "./Verbs.ts"

export interface Plan {
  readonly seed: number
  readonly forMs: number
  readonly fsync?: "always" | "everysec"
  /** Deeds in a second; default 0.8. */
  readonly deedsPerSecond?: number
  readonly only?: ReadonlyArray<VerbName>
  /** Said as it happens. */
  readonly say?: (line: string) => void
}

export interface Verdict {
  readonly deeds: ReadonlyArray<Deed>
  readonly findings: ReadonlyArray<string>
  /** What was counted, to be read by people. */
  readonly figures: Readonly<Record<string, number>>
}

const project = "ledger"
const threshold = 200
const partitions = 4
/** How long senders go on when all is well again, ms. */
const peaceMs = 2_000
/** How long what was accepted may take to go through, once nothing harms it any more, ms. */
const throughMaxMs = 90_000

export const run = async (plan: Plan): Promise<Verdict> => {
  const say = plan.say ?? (() => {})
  const chance = dice(plan.seed)
  await using arena = await makeArena({ fsync: plan.fsync ?? "always" })
  const ruleId = await prepare(arena)
  const deeds = schedule(chance.fork("harm"), {
    forMs: plan.forMs,
    members: arena.members.length,
    perSecond: plan.deedsPerSecond ?? 0.8,
    ...(plan.only === undefined ? {} : { only: plan.only })
  })
  const way = { url: arena.url, key: arena.room.key, project }
  const senders = [
    makeSender("a", "http", way, chance.fork("a"), { lines: 40, everyMs: 20 }),
    makeSender("b", "http", way, chance.fork("b"), { lines: 700, everyMs: 80 }),
    makeSender("c", "http once", way, chance.fork("c"), { lines: 40, everyMs: 30 }),
    makeSender("d", "otlp", way, chance.fork("d"), { lines: 40, everyMs: 30 }),
    makeSender("e", "upload", way, chance.fork("e"), { lines: 60, everyMs: 300 })
  ]
  const ending = new AbortController()
  const startedAt = performance.now()
  const sending = Promise.all(senders.map((sender) => sender.run(ending.signal)))
  await Promise.all(
    deeds.map(async (deed) => {
      await pause(Math.max(0, startedAt + deed.at - performance.now()))
      say(words(deed))
      await act(arena, deed)
    })
  )
  await pause(Math.max(0, startedAt + plan.forMs - performance.now()))
  await arena.heal()
  // A while of peace, so that lines come through also where a busy machine was hardly ever whole.
  await pause(peaceMs)
  ending.abort()
  const sendings = (await sending).flat()
  say("healed; waiting until all has gone through")
  const evidence = await gather(arena, ruleId, sendings)
  const accepted = sendings.filter(({ told }) => told === "accepted")
  return {
    deeds,
    findings: judge(evidence),
    figures: {
      deeds: deeds.length,
      requests: sendings.length,
      lines: sendings.reduce((sum, { lines }) => sum + lines.length, 0),
      accepted: accepted.reduce((sum, { lines }) => sum + lines.length, 0),
      repeated: sendings.filter(({ tries }) => tries > 1).length,
      unknown: sendings.length - accepted.length,
      stored: evidence.stored.size,
      counted: evidence.counted
    }
  }
}

/** The project and its rule, which are there before anything is harmed. */
const prepare = async (arena: Arena): Promise<string> => {
  const ask = async (path: string, body: unknown): Promise<unknown> => {
    const response = await fetch(arena.url + path, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { authorization: `Bearer ${arena.room.key}`, "content-type": "application/json" }
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }
  await ask("/v1/projects", { id: project, name: project })
  const rule = await ask(`/v1/rules?project=${project}`, {
    name: "every error",
    type: "threshold",
    query: "level:error",
    window: "1 day",
    threshold,
    for: "0 seconds"
  })
  return (rule as { readonly id: string }).id
}

const keyOf = (arena: Arena, partition: number, what: string): string =>
  `${arena.room.namespace}:{logs:${partition}}:${what}`
const allPartitions = Array.from({ length: partitions }, (_, partition) => partition)

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((all, one) => all + one, 0)

/** What the windows of the rule hold, by the state that was committed with the position. */
const countedBy = async (arena: Arena, ruleId: string): Promise<number> => {
  const groups = `${project} ${ruleId} group `
  const states = await Promise.all(
    allPartitions.map((partition) => arena.look.redis.hgetall(keyOf(arena, partition, "state")))
  )
  return sum(
    states.flatMap((fields) =>
      Object.entries(fields)
        .filter(([field]) => field.startsWith(groups))
        .map(([, text]) => {
          // A group's data are its buckets: their starts, and how many lines each holds.
          const { d } = JSON.parse(text) as { readonly d: readonly [unknown, ReadonlyArray<number>] }
          return sum(d[1])
        })
    )
  )
}

const storedBy = async ({ look: { sql } }: Arena): Promise<ReadonlyMap<string, number>> => {
  const rows = await sql<Array<{ message: string; times: number }>>`
    select message, count(*)::int as times from logs where project = ${project} group by message`
  return new Map(rows.map(({ message, times }) => [message, times]))
}

/** Looks until all that was accepted has gone through, or time is up. */
const gather = async (arena: Arena, ruleId: string, sendings: ReadonlyArray<Sending>): Promise<Evidence> => {
  const { redis, sql } = arena.look
  const uploads = sendings.filter(({ door, told }) => door === "upload" && told === "accepted")
  for (const until = performance.now() + throughMaxMs; ; await pause(100)) {
    const held = sum(
      await Promise.all(allPartitions.map((partition) => redis.xlen(keyOf(arena, partition, "batches"))))
    )
    const stored = await storedBy(arena)
    const waits = uploads.some(({ lines }) => lines.some((line) => !stored.has(line)))
    if ((held > 0 || waits) && performance.now() < until) continue
    const dead = await Promise.all(allPartitions.map((partition) => redis.xlen(keyOf(arena, partition, "dead"))))
    const alerts = await sql<Array<{ state: string }>>`select state from alerts where rule_id = ${ruleId}`
    return {
      sendings,
      stored: await storedBy(arena),
      counted: await countedBy(arena, ruleId),
      alerts: [...alerts],
      threshold,
      held,
      buried: sum(dead)
    }
  }
}
