/** The port through which the push channel finds the browsers and devices of a project: the store is not its to reach. */
import { Context, Effect } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import type { PushTarget } from "../domain/Push.ts"

type Fault = { readonly message: string; readonly retryable: boolean }

export interface Subscribers {
  readonly list: (project: ProjectId) => Effect.Effect<ReadonlyArray<PushTarget>, Fault>
  /** Forgets one whose device is gone. */
  readonly remove: (project: ProjectId, id: string) => Effect.Effect<void, Fault>
  /** The key that this server shows to push services. */
  readonly keys: Effect.Effect<{ readonly publicKey: string; readonly privateKey: string }, Fault>
}

const none: Fault = { message: "there is no store of push subscriptions", retryable: false }

export const Subscribers = Context.Reference<Subscribers>("loglytics/notify/Subscribers", {
  defaultValue: () => ({
    list: () => Effect.fail(none),
    remove: () => Effect.fail(none),
    keys: Effect.fail(none)
  })
})
