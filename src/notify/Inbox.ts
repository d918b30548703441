/** The port through which the in-app channel keeps what it tells: the store is not its to reach. */
import { Context, type Effect } from "effect"
import type { Notification } from "../domain/Alert.ts"
import type { ProjectId } from "../domain/Ids.ts"
import type { Outgoing } from "../domain/Outgoing.ts"

export class Inbox extends Context.Service<
  Inbox,
  {
    /** Keeps a message for the people of a project. `created` is false where its key was kept before. */
    readonly keep: (
      project: ProjectId,
      message: Outgoing
    ) => Effect.Effect<
      { readonly notification: Notification; readonly created: boolean },
      { readonly message: string; readonly retryable: boolean }
    >
  }
>()("loglytics/notify/Inbox") {}
