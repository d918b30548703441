/**
 * Who hears what. A subscription is a filter and a socket; promises that nobody hears of a project they did not subscribe
 * to, that events that arrive while a snapshot is loading follow it in order, and that a slow socket costs bounded memory:
 * what it can't take is counted and told, never queued without end.
 */
import type { ServerMessage, Topic } from "./Protocol.ts"

/** The part of a WebSocket that rooms need. */
export interface Outlet {
  readonly send: (text: string) => void
  /** Bytes handed over but not yet on the wire. */
  readonly bufferedAmount: number
}

/** Above this, events are skipped until the socket has caught up. */
export const bufferedMax = 4 * 1_024 * 1_024
/** Events held while a snapshot is loading; more are skipped and counted. */
const heldMax = 1_000

export interface Event {
  readonly topic: Topic
  readonly seq: string
  /** undefined: not of one project (jobs). */
  readonly project: string | undefined
  readonly data: ReadonlyArray<unknown>
}

export interface Subscription {
  readonly topic: Topic
  readonly project: string | undefined
  readonly accepts: (item: unknown) => boolean
}

interface Member extends Subscription {
  readonly outlet: Outlet
  skipped: number
  /** Events since subscribing, while the snapshot loads; undefined once it is sent. */
  held: Array<Event> | undefined
}

export const write = (outlet: Outlet, message: ServerMessage): void => outlet.send(JSON.stringify(message))

/** Orders sequence numbers (`<ms>-<n>`). */
const after = (a: string, b: string): boolean => {
  const [am = "0", an = "0"] = a.split("-")
  const [bm = "0", bn = "0"] = b.split("-")
  return Number(am) > Number(bm) || (am === bm && Number(an) > Number(bn))
}

export class Rooms {
  readonly #members = new Map<Outlet, Map<Topic, Member>>()

  /** Joins, replacing the outlet's earlier subscription to the topic. Events are held until `begin`. */
  join(outlet: Outlet, subscription: Subscription): void {
    const mine = this.#members.get(outlet) ?? new Map<Topic, Member>()
    mine.set(subscription.topic, { ...subscription, outlet, skipped: 0, held: [] })
    this.#members.set(outlet, mine)
  }

  /** Sends the snapshot (or what was missed) and then what came meanwhile. */
  begin(outlet: Outlet, topic: Topic, first: ReadonlyArray<ServerMessage>, seq: string): void {
    const member = this.#members.get(outlet)?.get(topic)
    if (member?.held === undefined) return
    const held = member.held
    member.held = undefined
    for (const message of first) write(outlet, message)
    for (const event of held) if (after(event.seq, seq)) this.#deliver(member, event)
  }

  leave(outlet: Outlet, topic?: Topic): void {
    if (topic === undefined) this.#members.delete(outlet)
    else this.#members.get(outlet)?.delete(topic)
  }

  /** Projects that somebody tails. */
  tailed(): ReadonlySet<string> {
    return this.watched("tail")
  }

  /** Projects that somebody listens to on this topic. */
  watched(topic: Topic): ReadonlySet<string> {
    const projects = new Set<string>()
    for (const mine of this.#members.values()) {
      const project = mine.get(topic)?.project
      if (project !== undefined) projects.add(project)
    }
    return projects
  }

  /** Tells who tails `project` that lines may be missing here. */
  gap(project: string): void {
    for (const mine of this.#members.values()) {
      const member = mine.get("tail")
      if (member?.project === project && member.held === undefined) write(member.outlet, { type: "gap", topic: "tail" })
    }
  }

  /** Brings an event to everybody who subscribed to it. */
  dispatch(event: Event): void {
    for (const mine of this.#members.values()) {
      const member = mine.get(event.topic)
      if (member !== undefined && member.project === event.project) this.#deliver(member, event)
    }
  }

  #deliver(member: Member, event: Event): void {
    if (member.held !== undefined) {
      if (member.held.length < heldMax) member.held.push(event)
      else member.skipped += event.data.length
      return
    }
    const data = event.data.filter(member.accepts)
    if (data.length === 0) return
    if (member.outlet.bufferedAmount > bufferedMax) {
      member.skipped += data.length
      return
    }
    if (member.skipped > 0) {
      write(member.outlet, { type: "skipped", topic: member.topic, count: member.skipped })
      member.skipped = 0
    }
    write(member.outlet, { type: "event", topic: member.topic, seq: event.seq, data })
  }
}
