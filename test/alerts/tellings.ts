/**
 * Plays alerts, silences and answers in virtual time through the real decisions, with a memory in place of the store, and writes
 * down what people hear: "0 s  all: Firing: api errors". So a scenario reads like a score.
 */
import { judgeAt } from "../../src/alerts/Dispatch.ts"
import type { Alert } from "../../src/domain/Alert.ts"
import { ChannelId } from "../../src/domain/Channel.ts"
import { AlertId, ProjectId, RuleId } from "../../src/domain/Ids.ts"
import { freshStanding, IncidentId, type Member, type Scene, type Standing } from "../../src/domain/Incident.ts"
import { type Policy, RouteId, type RouteSpec } from "../../src/domain/Route.ts"
import {
  type Inhibition,
  InhibitionId,
  type InhibitionSpec,
  type Silence,
  SilenceId,
  type SilenceSpec
} from "../../src/domain/Silence.ts"

export const start = Date.UTC(2026, 5, 1, 12)
const project = ProjectId.make("default")
const iso = (at: number): string => new Date(at).toISOString()

interface World {
  now: number
  alerts: Map<string, Alert>
  decisions: Map<string, string>
  silences: Array<Silence>
}

/** Something that happens. */
export type Act = (world: World) => void

export interface Score {
  readonly routes?: ReadonlyArray<RouteSpec>
  readonly inhibitions?: ReadonlyArray<InhibitionSpec>
  readonly channels?: ReadonlyArray<string>
}

interface Kept {
  readonly id: IncidentId
  readonly route: RouteId
  readonly key: string
  policy: Policy
  standing: Standing
  resolvedAt: number | null
  nextAt: number | null
  members: Map<string, { told: Member["told"]; joinedAt: number }>
}

type Traits = Partial<Pick<Alert, "severity" | "labels" | "group">> & { readonly rule?: string }

/** A firing alert. */
export const alertOf = (name: string, fields: Partial<Alert> = {}, now = start): Alert => ({
  id: AlertId.make(name.replaceAll(" ", "_")),
  project,
  ruleId: RuleId.make((fields.ruleName ?? name).replaceAll(" ", "_").slice(0, 64)),
  ruleName: name,
  state: "firing",
  severity: "warning",
  labels: {},
  group: {},
  annotations: {},
  query: "",
  value: 7,
  threshold: 5,
  reason: "7 lines in 1 minute, threshold 5",
  samples: ["boom"],
  lines: [],
  window: null,
  startedAt: iso(now),
  firedAt: iso(now),
  resolvedAt: null,
  updatedAt: iso(now),
  acknowledged: null,
  assignee: null,
  incidentId: null,
  late: false,
  silencedBy: null,
  inhibitedBy: null,
  ...fields
})

export const fires =
  (name: string, { rule = name, ...traits }: Traits = {}): Act =>
  ({ alerts, now }) =>
    void alerts.set(name, alertOf(name, { ...traits, ruleName: rule }, now))

const change =
  (name: string, fields: (now: number) => Partial<Alert>): Act =>
  ({ alerts, now }) => {
    const known = alerts.get(name)
    if (known === undefined) throw new Error(`expected an alert that fired before, got ${name}`)
    alerts.set(name, { ...known, ...fields(now) })
  }
export const ends = (name: string): Act => change(name, (now) => ({ state: "resolved", resolvedAt: iso(now) }))
export const acknowledged = (name: string): Act =>
  change(name, (now) => ({ acknowledged: { by: "ada", at: iso(now), note: null } }))
export const givenBack = (name: string): Act => change(name, () => ({ acknowledged: null }))
export const silenced =
  (spec: SilenceSpec): Act =>
  ({ now, silences }) => {
    silences.push({
      id: SilenceId.make(`sil_${silences.length + 1}`),
      project,
      matchers: spec.matchers,
      startsAt: spec.startsAt ?? iso(now),
      endsAt: spec.endsAt ?? null,
      recurring: spec.recurring ?? null,
      comment: spec.comment,
      createdBy: "ada",
      createdAt: iso(now)
    })
  }
export const silenceEnded = (world: World): void => {
  world.silences = world.silences.map((silence) => ({ ...silence, endsAt: iso(world.now) }))
}
/** Nothing happens but that somebody looks. */
export const looked: Act = () => {}

const units: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 }

/** "90 s", "5 min", "4 h" → ms. */
const msOf = (text: string): number => {
  const [count, unit = ""] = text.split(" ")
  return Number(count) * (units[unit] ?? Number.NaN)
}
const clock = (ms: number): string => (ms % 60_000 === 0 && ms > 0 ? `${ms / 60_000} min` : `${ms / 1_000} s`)

export interface Heard {
  /** `5 min  slack: Resolved: api errors` in the order in which it is heard. */
  readonly told: ReadonlyArray<string>
  /** Why each alert was told or not, last. */
  readonly decisions: ReadonlyMap<string, string>
  readonly keys: ReadonlyArray<string>
  readonly incidents: number
}

/** Plays what happens until `until`; after each act and each timer everything is looked at, twice, as jobs may run twice. */
export const play = (score: Score, acts: ReadonlyArray<readonly [at: string, act: Act]>, until: string): Heard => {
  const world: World = { now: start, alerts: new Map(), decisions: new Map(), silences: [] }
  const incidents: Array<Kept> = []
  const told: Array<string> = []
  const keys: Array<string> = []
  const routes = (score.routes ?? []).map((spec, position) => ({
    id: RouteId.make(`route_${position}`),
    project,
    position,
    ...spec,
    createdAt: iso(start)
  }))
  const inhibitions = (score.inhibitions ?? []).map((spec, i): Inhibition => ({
    id: InhibitionId.make(`inh_${i}`),
    project,
    ...spec,
    createdAt: iso(start)
  }))
  const channels = (score.channels ?? ["slack"]).map((id) => ({
    id: ChannelId.make(id),
    kind: "slack" as const,
    enabled: true
  }))
  const look = (): void => {
    const { alerts, now, silences } = world
    const firing = [...alerts.values()].filter(({ state }) => state === "firing")
    const scene: Scene = { silences, inhibitions, routes, firing, channels }
    const judge = judgeAt(now, () => true)
    for (const [name, alert] of alerts) {
      if (incidents.some(({ members }) => members.has(name))) continue
      for (const { key, policy, route } of judge.place(alert, scene).placements) {
        const open = incidents.findLast(
          (one) =>
            one.route === route &&
            one.key === key &&
            (one.resolvedAt === null || one.resolvedAt > now - policy.groupIntervalMs)
        )
        const incident: Kept = open ?? {
          id: IncidentId.make(`inc_${incidents.length + 1}`),
          route,
          key,
          policy,
          standing: freshStanding,
          resolvedAt: null,
          nextAt: null,
          members: new Map()
        }
        if (open === undefined) incidents.push(incident)
        incident.members.set(name, { told: null, joinedAt: now })
      }
    }
    for (const incident of incidents) {
      const members = [...incident.members].flatMap(([name, { joinedAt, told: word }]): ReadonlyArray<Member> => {
        const alert = alerts.get(name)!
        return word === "resolved" ? [] : [{ alert, told: word, joinedAt, mute: judge.mute(alert, scene) }]
      })
      incident.policy = judge.refreshed(incident.route, incident.policy, scene)
      const decided = judge.decide({ ...incident, members }, scene)
      incident.standing = decided.standing
      incident.resolvedAt = decided.standing.state === "resolved" ? (incident.resolvedAt ?? now) : null
      incident.nextAt = decided.nextAt
      for (const [name, member] of incident.members) {
        const word = decided.told.get(alerts.get(name)!.id)
        if (word !== undefined) member.told = word
      }
      for (const [id, words] of decided.decisions) world.decisions.set(id, words)
      for (const { channel, message } of decided.messages) {
        keys.push(message.key)
        if (channel !== "in_app") told.push(`${clock(now - start)}  ${channel}: ${message.title}`)
      }
    }
  }
  const queue = acts.map(([at, act]) => ({ at: start + msOf(at), act })).toSorted((a, b) => a.at - b.at)
  const end = start + msOf(until)
  for (let turns = 0; turns < 10_000; turns++) {
    const timer = Math.min(...incidents.map(({ nextAt }) => nextAt ?? Infinity))
    const next = queue[0]
    const at = Math.min(timer, next?.at ?? Infinity)
    if (at > end) return { told, keys, decisions: world.decisions, incidents: incidents.length }
    if (timer <= world.now && (next === undefined || next.at > world.now))
      throw new Error("expected a timer later than now")
    world.now = Math.max(at, world.now)
    if (next !== undefined && next.at <= world.now) queue.shift()!.act(world)
    look()
    look()
  }
  throw new Error("expected an end, got 10,000 turns")
}
