/** Messages and calls of channels, as tests want them. */
import { Effect } from "effect"
import { AlertId, ProjectId } from "../../src/domain/Ids.ts"
import type { Outgoing } from "../../src/domain/Outgoing.ts"
import type { Channel, ChannelError, Sending, Sent } from "../../src/notify/Channel.ts"
import { AllowPrivate } from "../../src/notify/Http.ts"

export const now = Date.UTC(2026, 10, 24)

export const alerting = (state: "firing" | "resolved", fields: Partial<Outgoing> = {}): Outgoing => ({
  key: `al_1.${state}.ch_1`,
  kind: "alert",
  title: `${state === "firing" ? "Firing" : "Resolved"}: payments <fail>`,
  text: "7 lines in 1 minute & more, threshold 5",
  severity: "critical",
  state,
  incident: {
    id: "al_1",
    count: 1,
    alerts: [
      {
        id: AlertId.make("al_1"),
        rule: "payments fail",
        state,
        value: 7,
        threshold: 5,
        reason: "7 lines in 1 minute, threshold 5",
        labels: { team: "shop" },
        group: { service: "api" },
        samples: ["payment 1 failed <b>&</b> {noformat}", "payment 2 failed ```"],
        startedAt: new Date(now).toISOString(),
        resolvedAt: null
      }
    ]
  },
  url: "https://logs.example.com/alerts/al_1",
  at: new Date(now).toISOString(),
  ...fields
})

/** One sending on loopback, with the rest as it usually is. */
export const send = <Settings>(
  channel: Channel<Settings>,
  sending: Pick<Sending<Settings>, "settings" | "message"> & Partial<Sending<Settings>>
): Effect.Effect<Sent, ChannelError> =>
  channel
    .send({
      project: ProjectId.make("default"),
      secrets: {},
      previous: null,
      repeated: false,
      progress: null,
      note: () => Effect.void,
      now,
      ...sending
    })
    .pipe(Effect.provideService(AllowPrivate, true))
