/**
 * A server of others that takes webhooks: keeps each message once by its `webhook-id`, as Standard Webhooks asks of receivers,
 * and counts how often one came again.
 */
import { startFake } from "../support/services/Fake.ts"

/** A message that told of one alert. */
export interface Told {
  readonly id: string
  /** `alert.firing`, `alert.resolved` … */
  readonly type: string
  /** Names of the rules. */
  readonly rules: ReadonlyArray<string>
}

export interface Receiver {
  readonly url: string
  readonly told: ReadonlyMap<string, Told>
  /** Messages that came again under the same id. */
  readonly again: () => number
  readonly close: () => Promise<void>
}

interface Body {
  readonly type: string
  readonly data: { readonly incident?: { readonly alerts: ReadonlyArray<{ readonly rule: string }> } }
}

export const startReceiver = async (): Promise<Receiver> => {
  const told = new Map<string, Told>()
  let again = 0
  const fake = await startFake(({ body, headers }) => {
    const id = String(headers["webhook-id"])
    const { data, type } = JSON.parse(body) as Body
    if (told.has(id)) again++
    else told.set(id, { id, type, rules: (data.incident?.alerts ?? []).map(({ rule }) => rule) })
    return { status: 200, body: {} }
  })
  return { url: `${fake.url}/hook`, told, again: () => again, close: fake.close }
}
