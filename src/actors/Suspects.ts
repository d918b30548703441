/**
 * Care for jobs whose worker was lost before. Promises that one with too many losses is not run again, that it is written
 * down when another begins (so that a further loss is counted only for jobs that had begun), and that those with one life
 * left run one after the other, so that a poison job does not take others with it.
 */
import * as Losses from "../jobs/Losses.ts"
import type { Held } from "./Held.ts"

/** Every loss that is known of a job. */
export const lossesOf = (held: Held): ReadonlyArray<Losses.Loss> => [
  ...Losses.parse(held.job.lost ?? ""),
  ...(held.meta?.c ?? [])
]

export interface SuspectsOptions {
  /** Losses at which a job is set apart. */
  readonly maxCrashes: number
  /** Writes down that a claim's job begins. */
  readonly began: (held: Held) => Promise<unknown>
}

export class Suspects {
  private readonly options: SuspectsOptions
  private lastChance: Promise<void> = Promise.resolve()

  constructor(options: SuspectsOptions) {
    this.options = options
  }

  /** True where the job has lost too many workers. */
  tooMany(losses: ReadonlyArray<Losses.Loss>): boolean {
    return losses.length >= this.options.maxCrashes
  }

  /** Runs a job that was claimed before; `run` resolves when it has ended. */
  async admit(held: Held, run: () => Promise<void>): Promise<void> {
    const { began, maxCrashes } = this.options
    const begin = async () => {
      // While Redis is away the job runs all the same: a loss may go uncounted then.
      await began(held).catch(() => {})
      await run()
    }
    const losses = lossesOf(held).length
    if (losses === 0 || losses < maxCrashes - 1) return begin()
    const turn = this.lastChance.then(begin)
    this.lastChance = turn
    return turn
  }
}
