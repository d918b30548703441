/** The port through which notifications and alerts reach people who are looking right now. Best effort; kept elsewhere. */
import { Context, type Effect } from "effect"
import type { ProjectId } from "../domain/Ids.ts"

export class LiveBus extends Context.Service<
  LiveBus,
  {
    /** Pushes to every live client that listens. A failure is logged by whoever provides this, not raised. */
    readonly push: (
      topic: "alerts" | "notifications" | "metrics",
      project: ProjectId,
      data: ReadonlyArray<unknown>
    ) => Effect.Effect<void>
  }
>()("loglytics/notify/LiveBus") {}
