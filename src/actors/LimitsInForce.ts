/**
 * Which gates a job of a task has to pass: by what its code says, and what was set at run time over it. Pure. Passing them is
 * the matter of the `Gatekeeper`.
 */
import type { Rate } from "../jobs/Rate.ts"
import type { Registration } from "../jobs/Registry.ts"
import * as Gates from "../streams/Gates.ts"
import type { Override } from "../streams/Settings.ts"

/** One gate that a job has to pass. */
export interface Gate {
  readonly keys: Gates.GateKeys
  readonly limits: Gates.GateLimits
}

/** Limits without the values of their keys. */
export interface InForce {
  readonly rate: Rate | undefined
  readonly concurrency: number | undefined
}

export const inForce = (task: Registration, set: Override | undefined): InForce => ({
  rate: set?.rate === undefined ? task.limits?.rate?.limit : (set.rate ?? undefined),
  concurrency: set?.concurrency === undefined ? task.limits?.concurrency?.limit : (set.concurrency ?? undefined)
})

/** The gates of a job with this payload. Throws what the function of a key throws. */
export const gatesOf = (
  namespace: string,
  task: Registration,
  set: Override | undefined,
  payload: unknown
): ReadonlyArray<Gate> =>
  gatesFor(namespace, task.name, {
    ...inForce(task, set),
    rateKey: task.limits?.rate?.key?.(payload),
    permitKey: task.limits?.concurrency?.key?.(payload)
  })

/** The gate that gives permits for one value of the key; none where the task has no such limit. */
export const permitGate = (
  namespace: string,
  task: Registration,
  set: Override | undefined,
  key: string | undefined
): Gate | undefined => {
  const { concurrency } = inForce(task, set)
  const limits = { rate: undefined, rateKey: undefined, concurrency, permitKey: key }
  return concurrency === undefined ? undefined : gatesFor(namespace, task.name, limits)[0]
}

/** That with permits comes first: a start that was granted by a rate can't be given back. */
const gatesFor = (
  namespace: string,
  task: string,
  limits: InForce & { readonly rateKey: string | undefined; readonly permitKey: string | undefined }
): ReadonlyArray<Gate> => {
  const { concurrency, permitKey, rate, rateKey } = limits
  const gate = (key: string | undefined, of: Gates.GateLimits): Gate => ({
    keys: Gates.gateKeys(namespace, task, key),
    limits: of
  })
  if (rate !== undefined && concurrency !== undefined && rateKey === permitKey) {
    return [gate(rateKey, { rate, concurrency })]
  }
  return [
    ...(concurrency === undefined ? [] : [gate(permitKey, { rate: undefined, concurrency })]),
    ...(rate === undefined ? [] : [gate(rateKey, { rate, concurrency: undefined })])
  ]
}
