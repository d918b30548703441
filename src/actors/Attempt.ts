/**
 * Sees to the time limits of one attempt and to its end. Promises one end, whether its fiber ends by itself, when it is told
 * to, or not at all: then it is abandoned. One object and no timer for an attempt without limits: this is the hot path.
 */
import { Exit, type Fiber } from "effect"
import type { Registration } from "../jobs/Registry.ts"
import type { Ended } from "./Ended.ts"
import type { Held } from "./Held.ts"
import type { TimeLimits } from "./TimeLimits.ts"

/** What the attempts of a worker share. */
export interface Hooks {
  /** An attempt is left to itself; what comes back is called when its fiber ends after all. */
  readonly abandoned: (held: Held) => () => void
  readonly decide: (
    held: Held,
    task: Registration,
    exit: Exit.Exit<unknown, unknown>,
    limitMs: number | undefined
  ) => Ended
}

export class Attempt {
  private readonly held: Held
  private readonly task: Registration
  private readonly fiber: Fiber.Fiber<unknown, unknown>
  private readonly limits: TimeLimits
  private readonly hooks: Hooks
  private readonly end: (ended: Ended) => void
  private soft: NodeJS.Timeout | undefined = undefined
  private hard: NodeJS.Timeout | undefined = undefined
  private late: (() => void) | undefined = undefined

  constructor(
    held: Held,
    task: Registration,
    fiber: Fiber.Fiber<unknown, unknown>,
    limits: TimeLimits,
    hooks: Hooks,
    end: (ended: Ended) => void
  ) {
    this.held = held
    this.task = task
    this.fiber = fiber
    this.limits = limits
    this.hooks = hooks
    this.end = end
  }

  /** `end` is called once, perhaps before this returns. */
  watch(): void {
    const { softMs, hardMs } = this.limits
    this.held.interrupt = () => this.interrupt()
    if (softMs !== undefined) this.soft = setTimeout(() => this.timeOut(), softMs)
    else if (hardMs !== undefined) this.hard = setTimeout(() => this.abandon(), hardMs)
    this.fiber.addObserver((exit) => this.ended(exit))
  }

  private timeOut(): void {
    this.held.stopped ??= "timeout"
    this.held.interrupt?.()
  }

  private interrupt(): void {
    if (this.soft !== undefined) clearTimeout(this.soft)
    this.fiber.interruptUnsafe()
    // What was told to stop has its grace, whoever told it; most end within the call above.
    if (this.held.interrupt !== undefined) this.hard ??= setTimeout(() => this.abandon(), this.limits.graceMs)
  }

  private abandon(): void {
    const { fiber, held, hooks } = this
    held.stopped ??= "timeout"
    held.interrupt = undefined
    // It may hear of it at last, should it ever get that far.
    fiber.interruptUnsafe()
    this.late = hooks.abandoned(held)
    this.decide(Exit.interrupt())
  }

  private ended(exit: Exit.Exit<unknown, unknown>): void {
    if (this.soft !== undefined) clearTimeout(this.soft)
    if (this.hard !== undefined) clearTimeout(this.hard)
    if (this.late !== undefined) return this.late()
    this.held.interrupt = undefined
    this.decide(exit)
  }

  private decide(exit: Exit.Exit<unknown, unknown>): void {
    const { held, hooks, limits, task } = this
    this.end(hooks.decide(held, task, exit, limits.softMs ?? limits.hardMs))
  }
}
