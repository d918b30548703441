/**
 * Leads jobs of limited tasks through their gates before they start, and gives their permits back after. Promises that a
 * task without limits pays nothing, that jobs of one turn of the event loop ask together, and that permits are renewed as
 * long as their job runs. What a gate decides is the matter of `streams/Gates`.
 */
import { Result } from "effect"
import type { Registration } from "../jobs/Registry.ts"
import * as Gates from "../streams/Gates.ts"
import { scriptMax } from "../streams/JobQueues.ts"
import type { Client } from "../streams/Redis.ts"
import type { Override, Overrides } from "../streams/Settings.ts"
import type { Held } from "./Held.ts"
import { type Gate, gatesOf, inForce, permitGate } from "./LimitsInForce.ts"

interface Question {
  readonly gate: Gate
  readonly asker: Gates.Asker
  readonly answer: (answer: Gates.Answer | undefined) => void
}

/** What became of a job at its gates: it may start, or it comes again in `delayMs`. `stopped`: told to stop meanwhile. */
export type Passage =
  | { readonly _tag: "go" | "stopped" }
  | { readonly _tag: "later"; readonly delayMs: number; readonly slot: number | undefined }

export interface GatekeeperOptions {
  readonly client: Client
  readonly namespace: string
  /** Names this process in the fences of its permits. */
  readonly token: string
  /** ms after which the permit of a silent worker is free. */
  readonly leaseMs: number
  readonly warn: (message: string) => void
}

/** ms until a question that failed is asked again. */
const againMs = 250
/** Gates whose waiters this process looks after, at most, and how many it looks at in one beat. */
const watchedMax = 1_000
const watchedPerBeat = 64

export class Gatekeeper {
  private readonly options: GatekeeperOptions
  private overrides: Overrides = new Map()
  private readonly questions = new Map<string, Array<Question>>()
  private readonly given = new Map<string, { readonly gate: Gate; readonly ids: Array<readonly [string, string]> }>()
  private readonly permits = new Map<Held, ReadonlyArray<Gate>>()
  private readonly watched = new Map<string, Gate>()
  private scheduled = false
  private pending = 0
  /** Questions asked since the start, one per job and gate. */
  asked = 0

  constructor(options: GatekeeperOptions) {
    this.options = options
  }

  /** Limits set at run time have changed. */
  override(overrides: Overrides): void {
    this.overrides = overrides
  }

  /** What was set at run time for a task. */
  of(task: string): Override | undefined {
    return this.overrides.size === 0 ? undefined : this.overrides.get(task)
  }

  /** True where jobs of the task have to ask. */
  limited(task: Registration): boolean {
    const set = this.of(task.name)
    if (set === undefined && task.limits === undefined) return false
    const { concurrency, rate } = inForce(task, set)
    return rate !== undefined || concurrency !== undefined
  }

  /** Asks at every gate of a job. Never fails: while Redis is away it asks on. */
  async pass(held: Held, task: Registration, payload: unknown): Promise<Passage> {
    const passed: Array<Gate> = []
    for (const gate of gatesOf(this.options.namespace, task, this.of(task.name), payload)) {
      const answer = await this.ask(gate, held)
      const went = answer?._tag === "go"
      if (went && gate.limits.concurrency !== undefined) passed.push(gate)
      if (went && answer.ms >= 1 && held.stopped === undefined) await wait(held, answer.ms)
      if (!went || held.stopped !== undefined) {
        this.release(held, passed)
        if (answer === undefined || went) return { _tag: "stopped" }
        if (answer._tag === "wait") return { _tag: "later", delayMs: answer.ms, slot: undefined }
        // A little before its moment, for which the worker then holds it.
        const delayMs = Math.max(1, answer.ms - Gates.holdMs + 2)
        // So that whoever cancels it meanwhile can give its moment back.
        held.meta = { ...held.meta, q: gate.keys.state }
        return { _tag: "later", delayMs, slot: Math.ceil(answer.at) }
      }
    }
    if (passed.length > 0) this.permits.set(held, passed)
    return { _tag: "go" }
  }

  /** An attempt has ended, in whatever way. */
  leave(held: Held): void {
    if (this.permits.size === 0) return
    const gates = this.permits.get(held)
    if (gates === undefined) return
    this.permits.delete(held)
    // The job is another worker's now, and so is the permit.
    if (held.stopped !== "lost") this.release(held, gates)
  }

  /** Counts jobs that began before their task had a limit: each takes a permit, also where there are too few of them. */
  async adopt(running: Iterable<Held>, tasks: ReadonlyMap<string, Registration>): Promise<void> {
    const { client, leaseMs, namespace } = this.options
    for (const held of running) {
      const task = tasks.get(held.job.task)
      const set = this.of(held.job.task)
      if (task === undefined || set?.concurrency === undefined || held.startedAt === 0 || this.permits.has(held))
        continue
      const gate = permitGate(namespace, task, set, permitKey(task, held))
      if (gate === undefined) continue
      this.permits.set(held, [gate])
      await Gates.renew(client, gate.keys, leaseMs, [this.fenced(held)])
      // It may have ended meanwhile, before its permit was taken.
      if (!this.permits.has(held)) this.release(held, [gate])
    }
  }

  /** Prolongs all permits and looks for waiters whose permit nobody gave back. */
  async beat(): Promise<void> {
    const { client, leaseMs, namespace } = this.options
    const byGate = new Map<string, { readonly gate: Gate; readonly ids: Array<readonly [string, string]> }>()
    for (const [held, gates] of this.permits) for (const gate of gates) collect(byGate, gate, this.fenced(held))
    for (const { gate, ids } of byGate.values()) {
      for (let i = 0; i < ids.length; i += scriptMax) {
        await Gates.renew(client, gate.keys, leaseMs, ids.slice(i, i + scriptMax))
      }
    }
    let looks = watchedPerBeat
    for (const [name, gate] of this.watched) {
      if (looks-- <= 0) break
      this.watched.delete(name)
      const { concurrency } = gate.limits
      const { waiting, wake } = await Gates.free(client, gate.keys, concurrency, [])
      if (waiting > 0 || wake.length > 0) this.watched.set(name, gate)
      await Gates.wake(client, namespace, gate.keys, concurrency, wake)
    }
  }

  /** Looks after gates that others have left waiters at: those of tasks known here. */
  async recall(tasks: ReadonlyMap<string, Registration>): Promise<void> {
    const { client, namespace } = this.options
    for (const { key, task } of await Gates.remembered(client, namespace, watchedMax)) {
      const registration = tasks.get(task)
      if (registration === undefined) continue
      const gate = permitGate(namespace, registration, this.of(task), key)
      if (gate !== undefined) this.watch(gate)
    }
  }

  /** Resolves once every permit given back is on its way to Redis, or after `ms`. */
  async drained(ms: number): Promise<void> {
    const until = performance.now() + ms
    while (this.pending > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  private watch(gate: Gate): boolean {
    const known = this.watched.has(gate.keys.state)
    if (!known && this.watched.size >= watchedMax) return false
    this.watched.set(gate.keys.state, gate)
    return !known
  }

  private fenced(held: Held): readonly [string, string] {
    return [held.job.id, `${this.options.token}:${held.job.entry}`]
  }

  private release(held: Held, gates: ReadonlyArray<Gate>): void {
    for (const gate of gates) {
      collect(this.given, gate, this.fenced(held))
      this.pending++
      this.schedule()
    }
  }

  private async ask(gate: Gate, held: Held): Promise<Gates.Answer | undefined> {
    const [id, fence] = this.fenced(held)
    while (held.stopped === undefined) {
      const answer = await new Promise<Gates.Answer | undefined>((answered) => {
        const all = this.questions.get(gate.keys.state) ?? []
        all.push({ gate, asker: { id, fence, slot: held.meta?.g }, answer: answered })
        this.questions.set(gate.keys.state, all)
        this.asked++
        this.schedule()
      })
      if (answer !== undefined) {
        if (answer._tag === "wait" && this.watch(gate)) void this.remember(held, gate)
        return answer
      }
      await wait(held, againMs)
    }
    return undefined
  }

  private async remember(held: Held, gate: Gate): Promise<void> {
    const { client, namespace } = this.options
    await Gates.remember(client, namespace, held.job.task, gate.keys).catch(() => 0)
  }

  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    setImmediate(() => {
      this.scheduled = false
      const asked = [...this.questions.values()]
      const given = [...this.given.values()]
      this.questions.clear()
      this.given.clear()
      // What is given back goes first: it may be what is asked for.
      for (const { gate, ids } of given) {
        for (let i = 0; i < ids.length; i += scriptMax) void this.free(gate, ids.slice(i, i + scriptMax))
      }
      for (const all of asked) {
        for (let i = 0; i < all.length; i += scriptMax) void this.send(all.slice(i, i + scriptMax))
      }
    })
  }

  private async free(gate: Gate, ids: ReadonlyArray<readonly [string, string]>): Promise<void> {
    const { client, namespace } = this.options
    const { concurrency } = gate.limits
    try {
      const { wake } = await Gates.free(client, gate.keys, concurrency, ids)
      await Gates.wake(client, namespace, gate.keys, concurrency, wake)
    } catch {
      // Its lease gives it back.
      this.watch(gate)
    } finally {
      this.pending -= ids.length
    }
  }

  private async send(questions: ReadonlyArray<Question>): Promise<void> {
    const { client, leaseMs, namespace, warn } = this.options
    const gate = questions[0]?.gate
    if (gate === undefined) return
    try {
      const askers = questions.map((q) => q.asker)
      const { answers, wake } = await Gates.ask(client, gate.keys, gate.limits, leaseMs, askers)
      questions.forEach((q, i) => q.answer(answers[i]))
      if (wake.length > 0) await Gates.wake(client, namespace, gate.keys, gate.limits.concurrency, wake)
    } catch (error) {
      warn(`asking ${gate.keys.state} failed, trying again: ${error instanceof Error ? error.message : String(error)}`)
      for (const q of questions) q.answer(undefined)
    }
  }
}

/** The value of the key of a permit; undefined where there is none, or none can be told. */
const permitKey = (task: Registration, held: Held): string | undefined => {
  const key = task.limits?.concurrency?.key
  if (key === undefined) return undefined
  try {
    const payload = task.decode(JSON.parse(held.job.payload))
    return Result.isSuccess(payload) ? key(payload.success) : undefined
  } catch {
    return undefined
  }
}

const collect = (
  into: Map<string, { readonly gate: Gate; readonly ids: Array<readonly [string, string]> }>,
  gate: Gate,
  id: readonly [string, string]
): void => {
  const known = into.get(gate.keys.state)
  if (known === undefined) into.set(gate.keys.state, { gate, ids: [id] })
  else known.ids.push(id)
}

/** Waits `ms`, or until the job is told to stop. */
const wait = (held: Held, ms: number): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      held.interrupt = undefined
      resolve()
    }
    const timer = setTimeout(done, ms)
    held.interrupt = done
  })
