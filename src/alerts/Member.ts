/**
 * One group of a rule: what it remembers and where its alert stands. Promises that time alone and lines give the same steps
 * however often it is looked at, and that lines which come late are judged at the moments they belong to. Which lines are its
 * own is told by Case.
 */
import type { SampleLine, Verdict } from "../domain/Alert.ts"
import type { AlertRule } from "../domain/Rule.ts"
import type { Measurement, Seen, Watch } from "./Rule.ts"
import { type Life, type Transition, dueAt, inactive, step } from "./State.ts"
import { alertIdOf, makeVerdict, words } from "./Verdicts.ts"

/** A rule as its groups need it. */
export interface Host {
  readonly rule: AlertRule
  readonly watch: Watch<unknown>
  readonly forMs: number
  readonly keepMs: number
  /** What is to be said of all groups, as of those that were dropped; "" where there is nothing. */
  readonly note: () => string
  /** Whether an alert stays as it is, because no line of the rule's source comes. */
  readonly frozen: (at: number) => boolean
}

/** A condition found to have held in the past; the alert goes on as long as it would have, had the lines come in time. */
interface Hold {
  readonly until: number
  readonly value: number
  /** Event time at which it was measured. */
  readonly at: number
}

/** How a group is written; plain JSON. */
interface Kept {
  readonly v: ReadonlyArray<string>
  readonly d: unknown
  readonly l: Life
  readonly s: number
  readonly h?: Hold | null
  readonly t?: number
  readonly z?: boolean
  readonly p?: readonly [number, number] | null
  readonly c?: number
  readonly x?: ReadonlyArray<SampleLine>
  readonly e?: Transition | null
}

/** Steps that time alone may make in one look, at most. */
const stepsMax = 2_000
/** Between two corrections of the same alert, ms. */
const correctEveryMs = 10_000

export class Member {
  readonly host: Host
  readonly key: string
  readonly values: ReadonlyArray<string>
  readonly names: ReadonlyArray<string>
  data: unknown
  life: Life = inactive
  samples: ReadonlyArray<SampleLine> = []
  /** When its last line came. */
  seen: number
  /** When time alone may change something. */
  due: number | undefined
  pending: Array<Seen> = []
  pendingAt: Array<number> = []
  private hold: Hold | null = null
  /** The value that was told last. */
  private told = 0
  private late = false
  /** Event times between which the condition of its last alert is known to have held. */
  private span: readonly [number, number] | null = null
  private corrected = 0
  /** The end of its last alert, for corrections. */
  private ended: Transition | null = null

  constructor(host: Host, key: string, names: ReadonlyArray<string>, values: ReadonlyArray<string>, at: number) {
    this.host = host
    this.key = key
    this.names = names
    this.values = values
    this.seen = at
    this.data = host.watch.start(at)
  }

  static read(host: Host, key: string, names: ReadonlyArray<string>, text: string, at: number): Member {
    const kept = JSON.parse(text) as Kept
    const member = new Member(host, key, names, kept.v, kept.s)
    member.data = host.watch.unpack === undefined ? kept.d : host.watch.unpack(kept.d)
    member.life = kept.l
    member.hold = kept.h ?? null
    member.told = kept.t ?? 0
    member.late = kept.z ?? false
    member.span = kept.p ?? null
    member.corrected = kept.c ?? 0
    member.samples = kept.x ?? []
    member.ended = kept.e ?? null
    member.due = member.nextAt(host.watch.evaluate(member.data, at - host.watch.waitMs), at)
    return member
  }

  get text(): string {
    const { pack } = this.host.watch
    const active = this.life.state !== "inactive"
    const kept: Kept = {
      v: this.values,
      d: pack === undefined ? this.data : pack(this.data),
      l: this.life,
      s: this.seen,
      ...(this.hold === null ? {} : { h: this.hold }),
      ...(this.span === null ? {} : { p: this.span, t: this.told, e: this.ended, c: this.corrected }),
      ...(this.late ? { z: true } : {}),
      // Lines are kept for alerts that are on; a judge that takes over shows those that came to itself.
      ...(active ? { x: this.samples } : {})
    }
    return JSON.stringify(kept)
  }

  /** The alert as it was told last; undefined where there is none. */
  get standing(): Verdict | undefined {
    const { life } = this
    if (life.state === "inactive") return undefined
    const { cause, startedAt, state } = life
    const firedAt = life.state === "firing" ? life.firedAt : null
    const change = { from: "inactive" as const, to: state, cause, startedAt, firedAt, resolvedAt: null }
    return this.verdict(change, firedAt ?? startedAt, this.told, "", this.late, firedAt ?? startedAt)
  }

  /** Takes the lines that were handed to it and what follows of them. `watermark`: lines of before are late. */
  take(now: number, watermark: number, cause: string, verdicts: Array<Verdict>): void {
    const { pending } = this
    const { watch } = this.host
    this.pending = []
    this.pendingAt = []
    this.seen = now
    this.data = watch.observe(this.data, pending, now)
    let oldest = now
    for (const { time } of pending) if (time < oldest) oldest = time
    const current = this.measure(now)
    const late = oldest < watermark
    if (!current.met && oldest < now - watch.waitMs) this.lookBack(oldest, now, late, verdicts)
    if (late && current.met) this.correct(now, current.value, verdicts)
    this.judge(now, cause, verdicts, current)
  }

  /** Looks whether a condition held at moments that were judged before lines of `oldest` were there. */
  private lookBack(oldest: number, now: number, late: boolean, verdicts: Array<Verdict>): void {
    const { watch } = this.host
    let best: { readonly measured: Measurement; readonly at: number } | undefined
    for (const at of watch.moments(this.data, oldest, now - watch.waitMs)) {
      const measured = watch.evaluate(this.data, at)
      if (measured.met && (best === undefined || measured.value > best.measured.value)) best = { measured, at }
    }
    if (best === undefined) return
    const { at, measured } = best
    const until = measured.nextAt ?? at + watch.windowMs
    const told = this.span !== null && until >= this.span[0] && at <= this.span[1]
    if (this.life.state === "inactive" && told) {
      if (late) this.correct(now, measured.value, verdicts)
      return
    }
    if (this.life.state === "inactive") this.late = late
    else if (late) this.correct(now, measured.value, verdicts)
    const held = Math.min(now + watch.windowMs, until + (now - at))
    if (this.hold === null || held > this.hold.until) this.hold = { until: held, value: measured.value, at }
  }

  /** Tells that the value of an alert, active or over, was larger than was told. */
  private correct(now: number, value: number, verdicts: Array<Verdict>): void {
    const { life } = this
    if (this.span === null || value <= this.told || now < this.corrected + correctEveryMs) return
    if (life.state === "pending" || (life.state === "inactive" && this.ended === null)) return
    const change =
      life.state === "firing"
        ? { from: "firing" as const, to: "firing" as const, ...life, resolvedAt: null }
        : { ...this.ended!, from: "resolved" as const }
    this.corrected = now
    verdicts.push(this.verdict(change, now, value, "corrected by lines that came late", true, now))
    this.told = value
  }

  /** Takes every step that time alone makes up to `at`, each at its own moment. */
  advance(at: number, verdicts: Array<Verdict>): void {
    let steps = 0
    for (let next = this.due; next !== undefined && next <= at; next = this.due) {
      const before = this.life
      this.judge(++steps > stepsMax ? at : next, "time", verdicts)
      if (this.life === before && this.due !== undefined && this.due <= next) this.due = undefined
    }
  }

  /** Measures at `at` and takes the step that follows. */
  judge(at: number, cause: string, verdicts: Array<Verdict>, known?: Measurement): void {
    const { host } = this
    const { watch } = host
    const measured = known ?? this.measure(at)
    const held = this.hold !== null && at < this.hold.until ? this.hold : null
    if (held === null) this.hold = null
    const met = measured.met || held !== null || (this.life.state !== "inactive" && host.frozen(at))
    const { life, transition } = step(this.life, { met }, at, host, cause)
    this.life = life
    const heldOnly = held !== null && !measured.met
    if (met) {
      const from = heldOnly ? held.at : at - watch.waitMs
      const to = heldOnly ? Math.max(held.at, held.until - watch.windowMs) : from
      const begins = transition?.from === "inactive" || this.span === null
      this.span = begins
        ? [Math.min(from, to), Math.max(from, to)]
        : [Math.min(this.span![0], from), Math.max(this.span![1], to)]
    }
    if (transition !== undefined) {
      const value = heldOnly ? held.value : measured.value
      const to = heldOnly ? held.at : at - watch.waitMs
      const late = this.late && transition.to !== "inactive"
      verdicts.push(this.verdict(transition, at, value, measured.why ?? "", late, to))
      this.told = transition.to === "resolved" ? Math.max(this.told, value) : value
      if (life.state === "inactive") {
        this.ended = transition.to === "resolved" ? transition : null
        this.samples = []
        this.late = false
      }
    }
    this.due = this.nextAt(measured, at)
  }

  /** What holds now. */
  private measure(now: number): Measurement {
    const { watch } = this.host
    const at = now - watch.waitMs
    if (watch.settle !== undefined) this.data = watch.settle(this.data, at)
    return watch.evaluate(this.data, at)
  }

  private nextAt(measured: Measurement, at: number): number | undefined {
    const { host } = this
    const moments = [
      dueAt(this.life, host.forMs, host.keepMs),
      measured.nextAt === undefined ? undefined : measured.nextAt + host.watch.waitMs,
      this.hold !== null && this.hold.until > at ? this.hold.until : undefined
    ].filter((moment) => moment !== undefined)
    return moments.length === 0 ? undefined : Math.min(...moments)
  }

  private verdict(
    change: Pick<Transition, "from" | "to" | "startedAt" | "cause" | "firedAt" | "resolvedAt">,
    at: number,
    value: number,
    why: string,
    late: boolean,
    measuredAt: number
  ): Verdict {
    const { rule, watch } = this.host
    const said = words(change.to, rule, watch.describe(value))
    const extra = [why, late && why === "" ? "by lines that came late" : "", this.host.note()].filter((s) => s !== "")
    return makeVerdict(rule, change, alertIdOf(rule.id, this.key, change.startedAt, change.cause), {
      at,
      value,
      threshold: watch.threshold,
      reason: extra.length === 0 ? said : `${said} (${extra.join("; ")})`,
      group: this.key,
      groupValues: Object.fromEntries(this.names.map((name, i) => [name, this.values[i] ?? ""])),
      lines: this.samples,
      window: { from: measuredAt - watch.windowMs, to: measuredAt },
      late
    })
  }
}
