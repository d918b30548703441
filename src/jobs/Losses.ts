/**
 * The workers that a job has brought down, or seemed to. Promises one list of them whether a whole process was lost or only
 * a thread, and the failure of a job that is set apart for it. Who counts them, and where, is the matter of streams and actors.
 */
import type { Failure } from "./Engine.ts"

/** A loss: name of the worker, epoch ms. */
export type Loss = readonly [worker: string, at: number]

/** Losses that are remembered. */
const kept = 10

/** The losses that the reclaim script has written: `worker@ms,worker@ms`. */
export const parse = (text: string): ReadonlyArray<Loss> =>
  text
    .split(",")
    .filter((part) => part !== "")
    .map((part) => {
      const at = part.lastIndexOf("@")
      return [part.slice(0, at), Number(part.slice(at + 1))] as const
    })

/** One loss more, the oldest forgotten beyond ten. */
export const add = (losses: ReadonlyArray<Loss> | undefined, loss: Loss): ReadonlyArray<Loss> => [
  ...(losses ?? []).slice(1 - kept),
  loss
]

/** The failure of a job that is set apart because of its losses. */
export const failure = (losses: ReadonlyArray<Loss>): Failure => {
  const last = losses.at(-1)
  const times = losses.length === 1 ? "once" : `${losses.length} times`
  const where = last === undefined ? "" : `, the last time ${last[0]} at ${new Date(last[1]).toISOString()}`
  return {
    _tag: "WorkerLost",
    message: `its worker was lost ${times}${where}`,
    losses: losses.map(([worker, at]) => ({ worker, at }))
  }
}
