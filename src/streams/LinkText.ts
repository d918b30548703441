/**
 * What a link job says: the job that tells the next of a chain or group that one has ended. Promises that a text which is not ours
 * is refused as a whole, with the place and what was expected there. Telling is the matter of `Flows`. Pure.
 */
import type { Failure } from "../jobs/Engine.ts"
import { queues } from "../jobs/JobQueue.ts"
import { areEntries } from "../jobs/MetaText.ts"
import type { Meta } from "../jobs/Plan.ts"

/** The internal task that tells. */
export const linkTask = "@link"

/** What a link job carries. `task`: that of the job that failed. */
export type Told = { readonly meta: Meta } & (
  | { readonly result: unknown }
  | { readonly failed: Failure; readonly task?: string }
)

/** The text of a link job for one that is done; "" where nobody waits for it. */
export const doneLink = (meta: Meta | undefined, metaText: string, resultText: string): string =>
  meta === undefined || (meta.l === undefined && meta.b === undefined)
    ? ""
    : `{"meta":${metaText},"result":${resultText}}`

/** The text of a link job for one that will never be done. */
export const failedLink = (meta: Meta | undefined, metaText: string, task: string, failure: Failure): string =>
  meta === undefined || (meta.l === undefined && meta.e === undefined)
    ? ""
    : `{"meta":${metaText},"task":${JSON.stringify(task)},"failed":${JSON.stringify(failure)}}`

/** What a link job carries is not ours: telling it again can't help. */
export class LinkInvalid extends Error {}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** What a link job carries, looked at along the whole chain, since a failure is told to its end. */
export const decode = (payload: string): Told => {
  let told: unknown
  try {
    told = JSON.parse(payload)
  } catch (error) {
    throw new LinkInvalid(`(all): ${error instanceof Error ? error.message : String(error)}`)
  }
  const refuse = (path: string, expected: string) => new LinkInvalid(`${path}: expected ${expected}`)
  if (!isObject(told)) throw refuse("(all)", "an object")
  if ("failed" in told) {
    if (!isObject(told["failed"]) || typeof told["failed"]["_tag"] !== "string") throw refuse("failed", "a failure")
  } else if (!("result" in told)) throw refuse("(all)", "result or failed")
  let meta = told["meta"]
  for (let path = "meta"; ; path = `${path.length < 200 ? path : "…"}.l.next.meta`) {
    if (!isObject(meta)) throw refuse(path, "an object")
    for (const name of ["b", "e"]) {
      if (meta[name] !== undefined && !areEntries(meta[name])) throw refuse(`${path}.${name}`, "a list of jobs")
    }
    const link = meta["l"]
    if (link === undefined) break
    if (!isObject(link)) throw refuse(`${path}.l`, "an object")
    const at = link["join"] ?? link["fan"] ?? link["next"]
    if (!isObject(at) || typeof at["id"] !== "string") throw refuse(`${path}.l`, "next, fan or join with an id")
    if (!queues.some((queue) => queue === at["queue"])) throw refuse(`${path}.l`, "the name of a queue")
    if ("join" in link) {
      if (!Number.isInteger(at["index"])) throw refuse(`${path}.l.join.index`, "an integer")
      break
    }
    if ("fan" in link) break
    if (typeof at["task"] !== "string") throw refuse(`${path}.l.next.task`, "the name of a task")
    if (at["meta"] === undefined) break
    meta = at["meta"]
  }
  return told as unknown as Told
}
