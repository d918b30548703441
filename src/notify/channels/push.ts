/**
 * To browsers by Web Push (VAPID) and to devices by Firebase: everybody of the project who has subscribed
 * (POST /v1/push/subscriptions). At least once in the wire, once on the screen: a message that comes again bears the same tag and
 * takes the place of the first. Whose browser or device is gone is forgotten.
 */
import { Effect, Schema } from "effect"
import type { Outgoing } from "../../domain/Outgoing.ts"
import type { PushTarget } from "../../domain/Push.ts"
import { cut, tidy } from "../../domain/Text.ts"
import { type Channel, ChannelError, scrubbed, type Sending } from "../Channel.ts"
import { accessToken, accountOf, toDevice } from "../Fcm.ts"
import { urlText } from "../Http.ts"
import { each } from "../Recipients.ts"
import { Subscribers } from "../Subscribers.ts"
import { toBrowser, topicOf } from "../WebPush.ts"

const Settings = Schema.Struct({
  /** Whom push services may ask: `mailto:ops@example.com` or an https:// URL. */
  contact: Schema.String.check(
    Schema.isPattern(/^(?:mailto:[^\s@]{1,64}@[^\s@]{1,255}|https:\/\/\S{1,300})$/u, {
      message: "expected mailto: and an address, or an https:// URL"
    })
  ),
  /** Default https://fcm.googleapis.com */
  fcmUrl: Schema.optionalKey(urlText(300))
})
type Settings = typeof Settings.Type

const concurrency = 8
const titleMax = 120
const bodyMax = 600

/** What is shown. Small enough for every service (4 KB) in whatever script. */
const noteOf = (message: Outgoing) => ({
  title: tidy(cut(message.title.replace(/\s+/gu, " "), titleMax)),
  body: tidy(cut(message.text, bodyMax)),
  url: message.url === undefined || message.url.length > 500 ? undefined : tidy(message.url),
  tag: topicOf(message.incident?.id ?? message.key),
  severity: message.severity,
  state: message.state
})

const isUrgent = ({ severity, state }: Outgoing): boolean => severity === "critical" && state !== "resolved"

const wanted = (targets: ReadonlyArray<PushTarget>, to: Outgoing["to"]) =>
  to === undefined
    ? targets
    : targets.filter(({ id, person }) => to.includes(id) || (person !== null && to.includes(person)))

const failed = (error: { readonly message: string; readonly retryable: boolean }): ChannelError =>
  new ChannelError({ channel: "push", reason: error.message, retryable: error.retryable })

/** How one target is reached, with what all of a kind have in common made once. */
const ways = Effect.fnUntraced(function* (sending: Sending<Settings>, targets: ReadonlyArray<PushTarget>) {
  const { message, now, secrets, settings } = sending
  const { keys, remove } = yield* Subscribers
  const note = noteOf(message)
  const urgent = isUrgent(message)
  const payload = JSON.stringify(note)
  const topic = topicOf(message.key)
  const vapid = targets.some(({ to }) => "browser" in to)
    ? { ...(yield* Effect.mapError(keys, failed)), contact: settings.contact }
    : undefined
  const account = accountOf(secrets["serviceAccount"] ?? "")
  const access =
    account !== undefined && targets.some(({ to }) => "token" in to) ? yield* accessToken(account, now) : undefined

  return Effect.fnUntraced(function* ({ id, to }: PushTarget) {
    if ("token" in to && (account === undefined || access === undefined)) {
      return { refused: "a device of Firebase, for which the secret serviceAccount is needed" }
    }
    const outcome =
      "token" in to
        ? yield* toDevice(
            settings.fcmUrl ?? "https://fcm.googleapis.com",
            account!,
            access!,
            to.token,
            { ...note, urgent },
            now
          )
        : yield* toBrowser(to.browser, payload, { vapid: vapid!, urgent, topic, now })
    if (outcome === "taken") return { reference: "" }
    yield* Effect.mapError(remove(sending.project, id), failed)
    return { refused: "its browser or device is gone, and forgotten now" }
  })
})

export const push: Channel<Settings> = {
  kind: "push",
  about: "Push messages to browsers (Web Push) and devices (Firebase) that have subscribed",
  settings: Settings,
  secrets: [{ name: "serviceAccount", about: "for devices: the JSON of a service account of Firebase" }],
  perSecond: 10,
  secretsFault: ({ serviceAccount }) =>
    serviceAccount === undefined || serviceAccount === "" || accountOf(serviceAccount) !== undefined
      ? undefined
      : "serviceAccount: expected the JSON of a service account (project_id, client_email, private_key), got something else",
  preview: (message) => {
    const { state, url, ...note } = noteOf(message)
    return { ...note, ...(url === undefined ? {} : { url }), ...(state === undefined ? {} : { state }) }
  },
  send: Effect.fnUntraced(function* (sending) {
    const subscribers = yield* Subscribers
    const all = yield* Effect.mapError(subscribers.list(sending.project), failed)
    const targets = wanted(all, sending.message.to)
    if (targets.length === 0) {
      const reason = `expected somebody who has subscribed${sending.message.to === undefined ? "" : " of those it is for"}, got nobody (POST /v1/push/subscriptions)`
      return yield* new ChannelError({ channel: "push", reason, retryable: false })
    }
    const byId = new Map(targets.map((target) => [target.id, target]))
    // A key is told in lines wherever it is told.
    const lines = (accountOf(sending.secrets["serviceAccount"] ?? "")?.private_key ?? "").split("\n")
    const known = { ...sending.secrets, ...Object.fromEntries(lines.entries()) }
    return yield* Effect.gen(function* () {
      const one = yield* ways(sending, targets)
      const sent = yield* each("push", sending, [...byId.keys()], { concurrency, noteBefore: false }, (id) =>
        one(byId.get(id)!)
      )
      return { ...sent, reference: null }
    }).pipe(Effect.mapError((error) => scrubbed(error, known)))
  })
}
