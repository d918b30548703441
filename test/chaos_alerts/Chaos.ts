/**
 * A run of chaos over alerts, from start to judgement: every rule gets its line while doors, workers, Redis and Postgres are
 * harmed; then all is healed, what was begun gets time to end, and the checks speak about what a receiver has heard.
 */
import { setTimeout as pause } from "node:timers/promises"
import { dice } from "../chaos/Seed.ts"
import { type Arena, makeArena } from "../chaos_lines/Arena.ts"
import { act, type Deed, schedule, type VerbName, words } from "../chaos_lines/Verbs.ts"
import { type Evidence, judge } from "./Checks.ts"
import { type Receiver, startReceiver } from "./Receiver.ts"

export interface Plan {
  readonly seed: number
  readonly forMs: number
  /** How many rules get a line; one in ten as many again get none. */
  readonly alerts: number
  readonly deedsPerSecond: number
  /** Whether alerts end, a minute after they fired, and that is waited for. */
  readonly ends: boolean
  readonly only?: ReadonlyArray<VerbName>
  readonly say?: (line: string) => void
}

export interface Verdict {
  readonly deeds: ReadonlyArray<Deed>
  readonly findings: ReadonlyArray<string>
  /** What was counted, to be read by people. */
  readonly figures: Readonly<Record<string, number>>
}

const project = "chaos"
/** How long a line's request is waited for, ms. */
const patienceMs = 4_000
/** How long what was accepted may take to be told, once nothing harms it any more, ms. */
const throughMaxMs = 180_000
/** After how long without news the safety net is asked to look, ms. */
const netAfterMs = 65_000
/** How long nothing more must come once all has been told, ms. */
const quietMs = 2_000

interface Way {
  readonly url: string
  readonly key: string
}

/** One request that is repeated until it is answered well: under the same key it does the same once. */
const insist = async (
  { key, url }: Way,
  path: string,
  body: string,
  headers: Record<string, string>
): Promise<void> => {
  for (const until = performance.now() + throughMaxMs; performance.now() < until; await pause(100)) {
    const response = await fetch(url + path, {
      method: "POST",
      body,
      headers: { authorization: `Bearer ${key}`, "x-loglytics-project": project, ...headers },
      signal: AbortSignal.timeout(patienceMs)
    }).catch(() => undefined)
    const text = await response?.text().catch(() => "")
    if (response?.ok === true) return
    if (response !== undefined && response.status < 500 && response.status !== 429 && response.status !== 409) {
      throw new Error(`${path}: ${response.status} ${text}`)
    }
  }
  throw new Error(`${path}: expected an answer once all was healed, got none`)
}

const json = { "content-type": "application/json" }

/** The project, its channel and its rules, which are there before anything is harmed. */
const prepare = async (way: Way, receiver: Receiver, rules: ReadonlyArray<string>, window: string): Promise<void> => {
  await insist({ ...way }, "/v1/projects?project=default", JSON.stringify({ id: project, name: project }), {
    ...json,
    "x-loglytics-project": "default"
  })
  const channel = { name: "hook", kind: "webhook", settings: { url: receiver.url } }
  await insist(way, "/v1/channels", JSON.stringify(channel), json)
  for (const name of rules) {
    const rule = { name, type: "threshold", query: `"${name}"`, window, threshold: 1, for: "0 seconds" }
    await insist(way, "/v1/rules", JSON.stringify(rule), json)
  }
}

/** Looks until each alert was told to its end, or time is up. */
const gather = async (
  arena: Arena,
  way: Way,
  receiver: Receiver,
  fired: ReadonlyArray<string>,
  quiet: ReadonlyArray<string>,
  last: string
): Promise<Evidence> => {
  const { sql } = arena.look
  const began = performance.now()
  let wholeAt: number | undefined
  for (let asked = false; ; await pause(200)) {
    const rows = await sql<Array<{ rule_name: string; state: string }>>`
      select rule_name, state from alerts where project = ${project} order by started_at, id`
    const alerts = new Map<string, ReadonlyArray<string>>()
    for (const { rule_name: rule, state } of rows) alerts.set(rule, [...(alerts.get(rule) ?? []), state])
    const told = [...receiver.told.values()]
    const done = new Set(told.filter(({ type }) => type === last).flatMap(({ rules }) => rules))
    const passed = performance.now() - began
    if (!fired.every((rule) => done.has(rule))) wholeAt = undefined
    else wholeAt ??= performance.now()
    const still = wholeAt !== undefined && performance.now() - wholeAt > quietMs
    if (still || passed > throughMaxMs) return { fired, quiet, alerts, told }
    if (!asked && passed > netAfterMs) {
      asked = true
      await insist(way, "/v1/tasks/check_all_alert_conditions", JSON.stringify({ payload: {} }), json).catch(() => {})
    }
  }
}

export const run = async (plan: Plan): Promise<Verdict> => {
  const say = plan.say ?? (() => {})
  const chance = dice(plan.seed)
  // Receivers stand on loopback, where webhooks may not go otherwise.
  process.env["LOGLYTICS_ALLOW_PRIVATE_URLS"] = "true"
  const receiver = await startReceiver()
  try {
    await using arena = await makeArena({ fsync: "always" })
    const way = { url: arena.url, key: arena.room.key }
    const fired = Array.from({ length: plan.alerts }, (_, i) => `fault${i}x`)
    const quiet = Array.from({ length: Math.ceil(plan.alerts / 10) }, (_, i) => `calm${i}x`)
    await prepare(way, receiver, [...fired, ...quiet], plan.ends ? "1 minute" : "1 hour")
    say(`${fired.length + quiet.length} rules are there`)
    const deeds = schedule(chance.fork("harm"), {
      forMs: plan.forMs,
      members: arena.members.length,
      perSecond: plan.deedsPerSecond,
      ...(plan.only === undefined ? {} : { only: plan.only })
    })
    const startedAt = performance.now()
    const sending = (async () => {
      for (const [i, name] of fired.entries()) {
        await pause(Math.max(0, startedAt + (i / fired.length) * (plan.forMs - 1_000) - performance.now()))
        await insist(way, "/v1/logs", `level=error msg="${name} broke"`, {
          "content-type": "text/plain",
          "idempotency-key": name
        })
      }
    })()
    await Promise.all(
      deeds.map(async (deed) => {
        await pause(Math.max(0, startedAt + deed.at - performance.now()))
        say(words(deed))
        await act(arena, deed)
      })
    )
    await pause(Math.max(0, startedAt + plan.forMs - performance.now()))
    await arena.heal()
    await sending
    say("healed; waiting until all has been told")
    const healedAt = performance.now()
    const evidence = await gather(arena, way, receiver, fired, quiet, plan.ends ? "alert.resolved" : "alert.firing")
    return {
      deeds,
      findings: judge(evidence),
      figures: {
        deeds: deeds.length,
        alerts: fired.length,
        told: receiver.told.size,
        again: receiver.again(),
        settledMs: Math.round(performance.now() - healedAt)
      }
    }
  } finally {
    await receiver.close()
  }
}
