/**
 * The life of an incident as a pure step: what is to be told of it now, to whom, and when to look again. It looks at how things
 * are, not at what happened, so looking once too often tells nothing twice and looking late loses nothing. The words are
 * Telling's part, keeping and sending the store's and the tasks'.
 */
import type { ChannelId } from "../domain/Channel.ts"
import type { Member, Standing } from "../domain/Incident.ts"
import type { Severity } from "../domain/Outgoing.ts"
import { type Policy, waitMs } from "../domain/Route.ts"

export type MessageKind = "firing" | "reopened" | "updated" | "resolved" | "acknowledged" | "repeat" | "escalation"

/** Something to tell. */
export interface Message {
  readonly kind: MessageKind
  /** Part of its key. */
  readonly seq: number
  /** Sorted; may be empty, where no channel is enabled. */
  readonly channels: ReadonlyArray<ChannelId>
  /** The alerts it is about: what is new first. */
  readonly members: ReadonlyArray<Member>
  /** How many of them still fire. */
  readonly firing: number
}

export interface Step {
  readonly standing: Standing
  readonly messages: ReadonlyArray<Message>
  /** What people know now, by alert; only what changed. */
  readonly told: ReadonlyMap<string, "firing" | "resolved">
  /** Why each alert is told or not, in words. */
  readonly decisions: ReadonlyMap<string, string>
  /** When to look again, epoch ms; null where only a change can bring news. */
  readonly nextAt: number | null
}

/** Names of channels as a route says them → those that there are. */
export type Resolve = (channels: Policy["channels"]) => ReadonlyArray<ChannelId>

const ranks: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 }

/** The worst of them. */
export const worst = (members: ReadonlyArray<Member>): Severity =>
  members.reduce<Severity>((most, { alert }) => (ranks[alert.severity] > ranks[most] ? alert.severity : most), "info")

const soonest = (times: ReadonlyArray<number | null>): number | null => {
  const known = times.filter((time) => time !== null)
  return known.length === 0 ? null : Math.min(...known)
}

const union = (...lists: ReadonlyArray<ReadonlyArray<ChannelId>>): ReadonlyArray<ChannelId> =>
  [...new Set(lists.flat())].toSorted()

const isFiring = ({ alert }: Member): boolean => alert.state === "firing"

/** The members by what has to happen with them. */
const sort = (members: ReadonlyArray<Member>) => ({
  /** People know that it fires, and it does. */
  known: members.filter((member) => isFiring(member) && member.told === "firing"),
  fresh: members.filter((member) => isFiring(member) && member.told === null && member.mute === null),
  muted: members.filter((member) => isFiring(member) && member.told === null && member.mute !== null),
  ended: members.filter((member) => !isFiring(member) && member.told === "firing"),
  /** Over before anybody heard of it. */
  missed: members.filter((member) => !isFiring(member) && member.told === null && member.mute === null),
  hushed: members.filter((member) => !isFiring(member) && member.told === null && member.mute !== null)
})
type Sorted = ReturnType<typeof sort>

/** When what is new is to be told; null where nothing is. */
const newsDue = ({ ended, fresh, known, missed }: Sorted, standing: Standing, policy: Policy): number | null => {
  const news = [...fresh, ...missed]
  const goesOn = known.length > 0 || fresh.length > 0
  const inTime = (standing.toldAt ?? 0) + policy.groupIntervalMs
  const first = news.map((member) => member.joinedAt + waitMs(policy, member.alert.severity))
  // People must not believe for long that something fires that is over, nor that something is over that fires.
  const end = ended.length === 0 ? null : goesOn ? inTime : 0
  const joins = standing.state === "firing" && known.length > 0
  return soonest([end, news.length === 0 ? null : joins ? inTime : Math.min(...first)])
}

interface Looking {
  readonly standing: Standing
  readonly policy: Policy
  readonly resolve: Resolve
  readonly now: number
}

/** Tells what is new. */
const tellNews = (sorted: Sorted, { now, policy, resolve, standing }: Looking) => {
  const { ended, fresh, known, missed } = sorted
  const fires = fresh.length + known.length
  const seq = standing.seq + 1
  const begins = standing.state !== "firing"
  const kind: MessageKind =
    fires === 0 ? "resolved" : begins ? (standing.state === "resolved" ? "reopened" : "firing") : "updated"
  // Who was never told that it fires need not hear that it is over; where nobody was, all of it is told at once.
  const audience =
    kind === "resolved" && standing.channels.length > 0
      ? standing.channels
      : union(resolve(policy.channels), standing.channels)
  const silent = fresh.length === 0 && !policy.sendResolved
  const message: Message = {
    kind,
    seq,
    channels: audience,
    members: [...fresh, ...ended, ...missed, ...known],
    firing: fires
  }
  const told = new Map<string, "firing" | "resolved">()
  const decisions = new Map<string, string>()
  const byWhom = audience.length === 0 ? "nobody: the route names no channel that is enabled" : audience.join(", ")
  for (const { alert } of fresh) {
    told.set(alert.id, "firing")
    decisions.set(alert.id, `told as firing by ${byWhom}`)
  }
  for (const { alert } of [...ended, ...missed]) {
    told.set(alert.id, "resolved")
    decisions.set(alert.id, silent ? "over; its route does not tell ends" : `told as resolved by ${byWhom}`)
  }
  const next: Standing = {
    ...standing,
    state: fires > 0 ? "firing" : "resolved",
    toldAt: silent ? standing.toldAt : now,
    // Whoever joins an incident that was taken on has not been taken on.
    heardAt: fires === 0 ? null : begins || (standing.acknowledged && fresh.length > 0) ? now : standing.heardAt,
    escalated: begins || (standing.acknowledged && fresh.length > 0) ? 0 : standing.escalated,
    acknowledged: standing.acknowledged && fresh.length === 0 && fires > 0,
    seq: silent ? standing.seq : seq,
    channels: silent ? standing.channels : audience
  }
  return { next, messages: silent ? [] : [message], told, decisions }
}

/** Tells that somebody took it on, or that nobody did. */
const tellAnswer = (
  known: ReadonlyArray<Member>,
  looking: Looking
): { readonly next: Standing; readonly message?: Message } => {
  const { now, policy, resolve, standing } = looking
  const seq = standing.seq + 1
  const base = { seq, members: known, firing: known.length }
  const answered = known.length > 0 && known.every(({ alert }) => alert.acknowledged !== null)
  if (answered && !standing.acknowledged) {
    const message: Message = { ...base, kind: "acknowledged", channels: standing.channels }
    return { next: { ...standing, seq, acknowledged: true }, message }
  }
  if (!answered && standing.acknowledged) {
    return { next: { ...standing, acknowledged: false, heardAt: now, escalated: 0, toldAt: now } }
  }
  if (answered || known.every(({ mute }) => mute !== null)) return { next: standing }
  const step = policy.escalate[standing.escalated]
  if (step !== undefined && (standing.heardAt ?? now) + step.afterMs <= now) {
    const channels = union(resolve(step.channels))
    const next = { ...standing, seq, escalated: standing.escalated + 1, channels: union(standing.channels, channels) }
    return { next, message: { ...base, kind: "escalation", channels } }
  }
  if ((standing.toldAt ?? now) + policy.repeatIntervalMs <= now) {
    const channels = union(resolve(policy.channels), standing.channels)
    return { next: { ...standing, seq, toldAt: now, channels }, message: { ...base, kind: "repeat", channels } }
  }
  return { next: standing }
}

/** When time alone brings something to tell, as things stand. */
const lookAgain = (sorted: Sorted, standing: Standing, policy: Policy): number | null => {
  const { known, muted } = sorted
  const open = standing.state === "firing" && !standing.acknowledged && known.some(({ mute }) => mute === null)
  const step = policy.escalate[standing.escalated]
  return soonest([
    newsDue(sorted, standing, policy),
    open && step !== undefined && standing.heardAt !== null ? standing.heardAt + step.afterMs : null,
    open && standing.toldAt !== null ? standing.toldAt + policy.repeatIntervalMs : null,
    ...[...muted, ...known].map(({ mute }) => mute?.until ?? null)
  ])
}

/** Messages of one look; it never needs as many. */
const rounds = 8

/** What is to be told now, and when to look again. Looking at the same once more tells nothing. */
export const step = (
  standing: Standing,
  members: ReadonlyArray<Member>,
  policy: Policy,
  resolve: Resolve,
  now: number
): Step => {
  const told = new Map<string, "firing" | "resolved">()
  const decisions = new Map<string, string>()
  const messages: Array<Message> = []
  let state = standing
  const current = () => sort(members.map((member) => ({ ...member, told: told.get(member.alert.id) ?? member.told })))
  for (const { alert, mute } of sort(members).hushed) {
    told.set(alert.id, "resolved")
    decisions.set(alert.id, `not told: it was over while ${mute?.reason ?? "it was muted"}`)
  }
  for (let round = 0; round < rounds; round++) {
    const sorted = current()
    const looking = { standing: state, policy, resolve, now }
    const due = newsDue(sorted, state, policy)
    if (due !== null && due <= now) {
      const news = tellNews(sorted, looking)
      state = news.next
      messages.push(...news.messages)
      for (const [id, word] of news.told) told.set(id, word)
      for (const [id, words] of news.decisions) decisions.set(id, words)
      continue
    }
    if (state.state !== "firing") break
    const { message, next } = tellAnswer(sorted.known, looking)
    if (message !== undefined) messages.push(message)
    if (next === state) break
    state = next
  }
  const sorted = current()
  // All that is left was over in silence, or nobody could be told: nothing is open.
  if (
    sorted.known.length === 0 &&
    sorted.fresh.length === 0 &&
    sorted.muted.length === 0 &&
    sorted.missed.length === 0
  ) {
    state = { ...state, state: "resolved" }
  }
  const nextAt = lookAgain(sorted, state, policy)
  for (const { alert, mute } of sorted.muted) decisions.set(alert.id, `not told: ${mute?.reason ?? "muted"}`)
  for (const { alert } of [...sorted.fresh, ...sorted.missed]) {
    const due = newsDue(sorted, state, policy) ?? now
    decisions.set(alert.id, `waits until ${new Date(due).toISOString()} for others of its incident`)
  }
  return { standing: state, messages, told, decisions, nextAt }
}
