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
  /** Items that belong before it may be missing. */
  readonly gap?: boolean
}

export interface Subscription {
  readonly topic: Topic
  readonly project: string | undefined
  readonly accepts: (item: unknown) => boolean
}

interface Member extends Subscription {
  readonly outlet: Outlet
  skipped: number
  /** Up to here it was told everything, or how much it was not. */
  told: string
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
  /** The newest event of the tail, of whatever project. */
  #newest = "0-0"

  /** Joins, replacing the outlet's earlier subscription to the topic. Events are held until `begin`. */
  join(outlet: Outlet, subscription: Subscription): void {
    const mine = this.#members.get(outlet) ?? new Map<Topic, Member>()
    mine.set(subscription.topic, { ...subscription, outlet, skipped: 0, told: "0-0", held: [] })
    this.#members.set(outlet, mine)
  }

  /** Sends the snapshot (or what was missed) and then what came meanwhile. */
  begin(outlet: Outlet, topic: Topic, first: ReadonlyArray<ServerMessage>, seq: string): void {
    const member = this.#members.get(outlet)?.get(topic)
    if (member?.held === undefined) return
    const { held, skipped } = member
    member.held = undefined
    member.skipped = 0
    member.told = seq
    for (const message of first) write(outlet, message)
    for (const event of held) if (after(event.seq, seq)) this.#deliver(member, event)
    // These came behind what was held.
    member.skipped += skipped
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

  /** Tells who listens to a topic (of `project`, where it is given) that items may be missing here. */
  gap(topic: Topic, project?: string): void {
    for (const mine of this.#members.values()) {
      const member = mine.get(topic)
      if (member === undefined || (project !== undefined && member.project !== project)) continue
      if (member.held === undefined) write(member.outlet, { type: "gap", topic })
    }
  }

  /**
   * Tells what was skipped to those who can take it again, though nothing new comes; and to those who tail where they stand,
   * though nothing was for them, since what they stood at would no longer be kept when they come back.
   */
  settle(): void {
    for (const mine of this.#members.values()) {
      for (const member of mine.values()) {
        if (member.held !== undefined || member.outlet.bufferedAmount > bufferedMax) continue
        this.#tellSkipped(member)
        if (member.topic !== "tail" || !after(this.#newest, member.told)) continue
        member.told = this.#newest
        write(member.outlet, { type: "event", topic: member.topic, seq: member.told, data: [] })
      }
    }
  }

  /** Brings an event to everybody who subscribed to it. */
  dispatch(event: Event): void {
    if (event.topic === "tail") this.#newest = event.seq
    for (const mine of this.#members.values()) {
      const member = mine.get(event.topic)
      if (member !== undefined && member.project === event.project) this.#deliver(member, event)
    }
  }

  #tellSkipped(member: Member): void {
    if (member.skipped === 0) return
    write(member.outlet, { type: "skipped", topic: member.topic, count: member.skipped })
    member.skipped = 0
  }

  #deliver(member: Member, event: Event): void {
    if (member.held !== undefined && member.held.length < heldMax) {
      member.held.push(event)
      return
    }
    const data = event.data.filter(member.accepts)
    if (member.held !== undefined || member.outlet.bufferedAmount > bufferedMax) {
      member.skipped += data.length
      return
    }
    if (event.gap === true) write(member.outlet, { type: "gap", topic: member.topic })
    if (data.length === 0) return
    this.#tellSkipped(member)
    member.told = event.seq
    write(member.outlet, { type: "event", topic: member.topic, seq: event.seq, data })
  }
}
