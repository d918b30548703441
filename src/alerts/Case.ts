/**
 * One rule under judgement: its groups, which are bounded in number, and what it knows beside them. Promises that what is dropped
 * is counted, and that a rule's state goes on where its spec has not changed. One group's steps are Member's.
 */
import type { SampleLine, Verdict } from "../domain/Alert.ts"
import type { LogEvent } from "../domain/LogEvent.ts"
import * as Query from "../domain/Query.ts"
import type { AlertRule } from "../domain/Rule.ts"
import { ruleTypes } from "./all.ts"
import { type Around, type Grouping, grouping, keyOf, sampleOf, samplesMax } from "./Groups.ts"
import { type Host, Member } from "./Member.ts"
import { Novelty } from "./Novelty.ts"
import { type Watch, latenessOf, millisOf } from "./Rule.ts"
import { serviceOf } from "./Matching.ts"
import { noDataKey, silence } from "./Silent.ts"
import { forMsOf, keepMsOf } from "./Verdicts.ts"

/** Lines that came more than this late count when they came, or not at all (`tooOld`), ms. */
export const tooOldMs = 3_600_000
/** Groups that are looked at for one that can make room. */
const roomLooks = 64
const sweepEveryMs = 300_000
const noDataMinMs = 300_000
/** How often it is written when a rule was looked at last; its other news are written at once, ms. */
const headEveryMs = 10_000

/** What a batch brings, made once for all rules. */
export interface Batch {
  readonly events: ReadonlyArray<LogEvent>
  /** When it came. */
  readonly arrival: number
  readonly now: number
  /** The newest event time seen so far, of all lines. */
  readonly newest: number
  readonly id: string
  /** The lines around its own, for alerts that show them. */
  readonly around: () => Around
}

/** How a rule is written, without its groups. */
interface Head {
  readonly spec: string
  readonly since: number
  readonly evaluated: number
  readonly dropped: number
  readonly ignored: number
}

/** How a rule stands. */
export interface CaseStatus {
  /** Epoch ms; null before the first look. */
  readonly evaluatedAt: number | null
  readonly state: "ok" | "pending" | "firing" | "no_data"
  readonly groups: number
  readonly firing: number
  /** Groups or values for which there was no room. */
  readonly dropped: number
  /** Lines that were too old to count. */
  readonly ignored: number
  readonly lastError: string | null
}

/** Fields of a rule that change nothing of what is judged. */
const beside = new Set("createdAt enabled id name project updatedAt annotations labels severity".split(" "))
const specOf = (rule: AlertRule): string =>
  JSON.stringify(
    Object.entries(rule)
      .filter(([name]) => !beside.has(name))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
  )

export class Case implements Host {
  readonly rule: AlertRule
  readonly watch: Watch<unknown>
  readonly forMs: number
  readonly keepMs: number
  readonly latenessMs: number
  readonly noDataMs: number
  /** The service whose lines are its source; undefined: all lines are. */
  readonly source: string | undefined
  readonly spec: string
  readonly members = new Map<string, Member>()
  /** Fields that differ from what was written: "" for the head, else groups. */
  readonly dirty = new Set<string>()
  /** No group needs a look before. Below the truth at times, never above. */
  due: number | undefined
  /** Characters that its groups take as text, about. */
  size = 0
  /** When a line of its source came last. */
  sourceSeen = 0
  /** Room for more groups, as far as the judge has it. */
  room: () => boolean = () => true
  private readonly grouping: Grouping
  private readonly novelty: Novelty | undefined
  private readonly quiet: Member | undefined
  private readonly sizes = new Map<string, number>()
  private since = 0
  private evaluated = 0
  private dropped = 0
  private ignored = 0
  private sweptAt = 0
  private headDirty = false
  /** `evaluated` as it is written; 0 where nothing is written of this spec. */
  private headAt = 0
  /** Whether what an older spec had learnt is to be removed. */
  private forgets = false

  constructor(rule: AlertRule, fields: ReadonlyMap<string, string>, groups: ReadonlyMap<string, string>, at: number) {
    this.rule = rule
    this.watch = ruleTypes[rule.type].watch(rule)
    this.forMs = forMsOf(rule)
    this.keepMs = keepMsOf(rule)
    this.latenessMs = latenessOf(rule)
    this.noDataMs =
      rule.noDataAfter === undefined ? Math.max(noDataMinMs, this.watch.windowMs) : millisOf(rule.noDataAfter)!
    const parsed = Query.parse(this.watch.query)
    this.source = parsed.ok ? serviceOf(parsed.query) : undefined
    this.spec = specOf(rule)
    const { novel } = this.watch
    this.grouping = grouping([...(rule.groupBy ?? []), ...(novel === undefined ? [] : [novel.field])])
    const head = fields.get("head")
    const kept = head === undefined ? undefined : (JSON.parse(head) as Head)
    const same = kept?.spec === this.spec ? kept : undefined
    const known = same === undefined ? undefined : fields.get("known")
    this.novelty = novel === undefined ? undefined : new Novelty(novel.learnMs, known)
    if (same !== undefined) {
      this.since = same.since
      this.evaluated = same.evaluated
      this.headAt = same.evaluated
      this.dropped = same.dropped
      this.ignored = same.ignored
      for (const [key, text] of groups)
        if (key !== noDataKey) this.keep(Member.read(this, key, this.grouping.names, text, at))
    } else {
      // What was written of a rule that changed is removed with the next commit.
      for (const key of groups.keys()) this.dirty.add(key)
      this.forgets = fields.has("known")
    }
    this.quiet =
      rule.noData === "alert" ? silence(this, same === undefined ? undefined : groups.get(noDataKey), at) : undefined
    // Looked at once, to begin; then as its groups need it.
    this.due = this.since === 0 && (this.watch.waits === true || this.quiet !== undefined) ? 0 : this.dueOfAll()
  }

  note(): string {
    return this.dropped === 0 ? "" : `${this.dropped} groups or values were not looked at: there were too many`
  }

  frozen(at: number): boolean {
    return this.rule.noData === "keep" && Math.max(this.sourceSeen, this.since) <= at - this.watch.windowMs
  }

  statusAt(now: number): CaseStatus {
    const lives = this.all.map(({ life }) => life.state)
    const firing = lives.filter((state) => state === "firing").length
    const silent = this.since !== 0 && now - Math.max(this.sourceSeen, this.since) >= this.noDataMs
    return {
      evaluatedAt: this.evaluated === 0 ? null : this.evaluated,
      state: firing > 0 ? "firing" : silent ? "no_data" : lives.includes("pending") ? "pending" : "ok",
      groups: this.members.size,
      firing,
      dropped: this.dropped,
      ignored: this.ignored,
      lastError: this.novelty?.full === true ? "more values than can be remembered: new ones are no longer told" : null
    }
  }

  private get all(): ReadonlyArray<Member> {
    return this.quiet === undefined ? [...this.members.values()] : [...this.members.values(), this.quiet]
  }

  /** The alerts that are pending or firing. */
  active(): ReadonlyArray<Verdict> {
    return this.all.flatMap((member) => member.standing ?? [])
  }

  private keep(member: Member): void {
    this.members.set(member.key, member)
  }

  private touched(member: Member): void {
    this.dirty.add(member.key)
    const { due } = member
    if (due !== undefined && (this.due === undefined || due < this.due)) this.due = due
  }

  private dueOfAll(): number | undefined {
    let least: number | undefined
    for (const { due } of this.members.values())
      if (due !== undefined && (least === undefined || due < least)) least = due
    const quiet = this.quiet?.due
    return quiet !== undefined && (least === undefined || quiet < least) ? quiet : least
  }

  /** Its first moment: what waits for lines begins to wait. */
  private begin(at: number): void {
    if (this.since !== 0) return
    this.since = at
    this.headDirty = true
    if (this.watch.waits === true && this.grouping.names.length === 0) {
      const member = new Member(this, "", [], [], at)
      this.keep(member)
      member.judge(at, "time", [])
      this.touched(member)
    }
    if (this.quiet !== undefined) {
      this.quiet.data = at
      this.quiet.judge(at, "time", [])
      this.touched(this.quiet)
    }
  }

  /** Lets time pass up to `at`. */
  advance(at: number, verdicts: Array<Verdict>): void {
    if (this.due === undefined || this.due > at) return
    this.begin(at)
    for (const member of this.all) {
      if (member.due === undefined || member.due > at) continue
      member.advance(at, verdicts)
      this.dirty.add(member.key)
    }
    this.evaluated = at
    this.sweep(at)
    this.due = this.dueOfAll()
  }

  /** A line of its source has come. */
  heard(at: number, verdicts: Array<Verdict>): void {
    this.sourceSeen = at
    if (this.quiet !== undefined) {
      this.begin(at)
      this.quiet.data = at
      this.quiet.judge(at, "lines", verdicts)
      this.touched(this.quiet)
    }
    if (this.rule.noData !== "keep") return
    for (const member of this.members.values()) {
      if (member.life.state === "inactive") continue
      member.judge(at, "lines", verdicts)
      this.touched(member)
    }
  }

  /** Takes the lines of a batch that its query selected, by their indices. */
  observe(batch: Batch, lines: ReadonlyArray<number>, verdicts: Array<Verdict>): void {
    const { arrival, events, id, newest, now } = batch
    this.begin(now)
    this.evaluated = now
    const shown = new Set<Member>()
    for (const index of lines) {
      const event = events[index]!
      const time = this.timeOf(event, arrival)
      if (time === undefined) {
        this.ignored++
        this.headDirty = true
        continue
      }
      const member = this.memberOf(event, now)
      if (member === undefined) continue
      member.pending.push({ event, time })
      member.pendingAt.push(index)
      shown.add(member)
    }
    const watermark = Math.min(newest, now) - this.latenessMs
    for (const member of shown) {
      if (member.life.state !== "firing") member.samples = this.samplesOf(member, batch)
      member.take(now, watermark, id, verdicts)
      if (member.key !== "" && this.novelty !== undefined && member.life.state !== "inactive")
        this.novelty.add(member.key)
      this.touched(member)
    }
    this.sweep(now)
  }

  private samplesOf(member: Member, { around }: Batch): ReadonlyArray<SampleLine> {
    const { pending, pendingAt, samples } = member
    const { shows } = this.watch
    const latest: Array<SampleLine> = []
    for (let i = pending.length - 1; i >= 0 && latest.length < samplesMax; i--) {
      const seen = pending[i]!
      if (shows === undefined || shows(seen.event)) latest.unshift(sampleOf(seen, pendingAt[i]!, around()))
    }
    return [...samples, ...latest].slice(-samplesMax)
  }

  /** Event time as it counts; undefined where the line does not. */
  private timeOf({ time }: LogEvent, arrival: number): number | undefined {
    if (!(time <= arrival)) return arrival
    if (arrival - time <= tooOldMs) return time
    return this.rule.tooOld === "ignore" ? undefined : arrival
  }

  private memberOf(event: LogEvent, now: number): Member | undefined {
    const { grouping: groups, novelty } = this
    if (groups.names.length === 0) return this.members.get("") ?? this.admit("", [], now)
    const values = groups.valuesOf(event)
    const key = keyOf(values)
    const known = this.members.get(key)
    if (novelty !== undefined && known === undefined) {
      // A line without the field says nothing of it.
      if (values.at(-1) === "") return undefined
      const news = novelty.look(key, now)
      if (news === "full") {
        this.dropped++
        this.headDirty = true
      }
      if (news !== "new") return undefined
    }
    if (known === undefined) return this.admit(key, values, now)
    // The one whose line came last stands last.
    if (this.members.size >= this.watch.groupsMax) {
      this.members.delete(key)
      this.members.set(key, known)
    }
    return known
  }

  private admit(key: string, values: ReadonlyArray<string>, now: number): Member | undefined {
    if ((this.members.size >= this.watch.groupsMax || !this.room()) && !this.makeRoom(now)) {
      this.dropped++
      this.headDirty = true
      return undefined
    }
    const member = new Member(this, key, this.grouping.names, values, now)
    this.keep(member)
    return member
  }

  /** Forgets the group whose line came longest ago and of which there is no alert. */
  private makeRoom(now: number): boolean {
    let looks = 0
    for (const [key, { data, life, pending }] of this.members) {
      if (life.state === "inactive" && pending.length === 0) {
        if (!this.watch.idle(data, now)) this.dropped++
        this.forget(key)
        this.headDirty = true
        return true
      }
      if (++looks >= roomLooks) return false
    }
    return false
  }

  private forget(key: string): void {
    this.members.delete(key)
    this.dirty.add(key)
  }

  /** Forgets groups that have nothing to remember any more. */
  private sweep(now: number): void {
    if (now - this.sweptAt < sweepEveryMs) return
    this.sweptAt = now
    if (this.grouping.names.length === 0) return
    for (const [key, member] of this.members) {
      if (member.life.state === "inactive" && this.watch.idle(member.data, now - tooOldMs)) this.forget(key)
    }
  }

  /** The fields that were touched since, as text; "" where a field is gone. */
  *changes(): Generator<readonly [field: string, text: string]> {
    if (this.forgets) yield ["known", ""]
    this.forgets = false
    if (this.novelty?.changed === true) {
      yield ["known", this.novelty.kept]
      this.novelty.changed = false
    } else if (this.dirty.size === 0 && !this.headDirty) return
    for (const key of this.dirty) yield this.fieldOf(key)
    this.dirty.clear()
    // The head goes with the first group: it says that the groups belong to this spec.
    if (!this.headDirty && this.headAt !== 0 && this.evaluated - this.headAt < headEveryMs) return
    yield ["head", this.headText]
    this.headDirty = false
    this.headAt = this.evaluated
  }

  private fieldOf(key: string): readonly [string, string] {
    const member = key === noDataKey ? this.quiet : this.members.get(key)
    const text = member?.text ?? ""
    this.size += text.length - (this.sizes.get(key) ?? 0)
    if (text === "") this.sizes.delete(key)
    else this.sizes.set(key, text.length)
    return [`group ${key}`, text]
  }

  private get headText(): string {
    const head: Head = {
      spec: this.spec,
      since: this.since,
      evaluated: this.evaluated,
      dropped: this.dropped,
      ignored: this.ignored
    }
    return JSON.stringify(head)
  }

  /** Everything, as it would be written. */
  *written(): Generator<readonly [field: string, text: string]> {
    if (this.since === 0) return
    yield ["head", this.headText]
    if (this.novelty !== undefined) yield ["known", this.novelty.kept]
    for (const member of this.members.values()) yield [`group ${member.key}`, member.text]
    if (this.quiet !== undefined) yield [`group ${noDataKey}`, this.quiet.text]
  }
}
