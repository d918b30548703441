/** The port through which health_check and `/health` look at what the service stands on. */
import { Context, type Effect } from "effect"

export interface Check {
  /** Stable, lower case: "redis", "postgres", "queues", "workers", "disk", "pipeline". */
  readonly name: string
  readonly ok: boolean
  /** What was seen, in words. */
  readonly detail: string
}

export class Probes extends Context.Service<
  Probes,
  {
    /** Redis and Postgres only: fast, for load balancers. */
    readonly essential: Effect.Effect<ReadonlyArray<Check>>
    /** Everything. */
    readonly all: Effect.Effect<ReadonlyArray<Check>>
  }
>()("loglytics/tasks/Probes") {}
