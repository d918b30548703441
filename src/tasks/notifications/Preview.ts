/** What a channel would send, without sending it: for those who choose settings or write a template. Pure. */
import type { Schema } from "effect"
import type { ChannelKind } from "../../domain/Channel.ts"
import { AlertId } from "../../domain/Ids.ts"
import type { Outgoing } from "../../domain/Outgoing.ts"
import { tidyAll } from "../../domain/Text.ts"
import { channels } from "../../notify/all.ts"
import { applied } from "../../notify/Template.ts"
import { prepare, readTemplate } from "./Sending.ts"

/** An alert that fires, as a message tells it. */
export const exampleMessage = (now: number): Outgoing => ({
  key: "al_example.firing.ch_example",
  kind: "alert",
  title: "Firing: payments fail",
  text: "12 lines in 5 minutes, threshold 10",
  severity: "critical",
  state: "firing",
  incident: {
    id: "in_example",
    count: 1,
    alerts: [
      {
        id: AlertId.make("al_example"),
        rule: "payments fail",
        state: "firing",
        value: 12,
        threshold: 10,
        reason: "12 lines in 5 minutes, threshold 10",
        labels: { team: "shop" },
        group: { service: "checkout" },
        samples: [
          'ERROR checkout: card refused, order 4711 <no "retry" left>',
          "ERROR checkout: card refused, order 4712"
        ],
        startedAt: new Date(now).toISOString(),
        resolvedAt: null
      }
    ]
  },
  url: "https://logs.example.com/alerts/al_example",
  at: new Date(now).toISOString()
})

/** What would be sent, or what is wrong with settings or template. */
export const previewOf = (given: {
  readonly kind: ChannelKind
  readonly settings: unknown
  readonly template: unknown
  readonly message: Outgoing
}): { readonly sent: Schema.Json } | { readonly fault: string } => {
  const message = tidyAll(given.message)
  const ready = given.settings === undefined ? undefined : prepare(given.kind, given.settings)
  if (ready !== undefined && "fault" in ready) return ready
  const words = readTemplate(given.template)
  if ("fault" in words) return words
  const worded = applied(words.value ?? ready?.template, message)
  return { sent: channels[given.kind].preview(worded, ready?.settings ?? null) }
}
