/** Joins the push channel to the subscriptions that the store keeps. */
import { Effect, Layer } from "effect"
import { Subscribers } from "../notify/Subscribers.ts"
import { PushSubscriptions } from "../store/PushSubscriptions.ts"

export const SubscribersLive = Layer.effect(
  Subscribers,
  Effect.map(PushSubscriptions, (subscriptions) => ({
    list: subscriptions.open,
    remove: (project, id) => Effect.asVoid(subscriptions.remove(project, id)),
    keys: subscriptions.keys
  }))
)
