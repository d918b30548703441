/**
 * Carries out the engine's own jobs in a flow: those that tell what follows, and those that end a group. Promises that each
 * ends or is tried again while Redis is away, and that one which makes no sense is dead, not tried for ever.
 */
import type { Failure } from "../jobs/Engine.ts"
import { freshId, queueOf } from "../jobs/JobQueue.ts"
import type * as Outcome from "../jobs/Outcome.ts"
import { LinkInvalid, linkTask } from "../streams/Flows.ts"
import { bodyOf, type Ended, left, outcome } from "./Ended.ts"
import type { Held } from "./Held.ts"

/** ms until what failed is tried again. */
const againMs = 1_000

/** Ends a group by what `gather` says: the result as text, or why there is none. */
export const endGroup = (
  held: Held,
  gather: (held: Held) => Promise<{ readonly text: string } | { readonly failure: Failure }>,
  end: (ended: Ended) => void
): void => {
  gather(held).then(
    (got) =>
      "failure" in got
        ? end(outcome({ _tag: "Dead", error: got.failure }, undefined))
        : end({ _tag: "Outcome", outcome: { _tag: "Done", result: null }, task: undefined, body: got.text }),
    () => setTimeout(() => (held.stopped === undefined ? endGroup(held, gather, end) : end(left)), againMs)
  )
}

/** Tells what follows a job that has ended. */
export const tellNext = (
  held: Held,
  tell: (id: string, payload: string) => Promise<void>,
  end: (ended: Ended) => void
): void => {
  tell(held.job.id, held.job.payload).then(
    () => end({ _tag: "Told" }),
    (error: unknown) =>
      error instanceof LinkInvalid
        ? end(invalidLink(held, error.message))
        : setTimeout(() => (held.stopped === undefined ? tellNext(held, tell, end) : end(left)), againMs)
  )
}

/**
 * A link job that says nothing of ours would be tried for ever. It is dead under an id of its own: its entry names the job
 * that it tells of, whose record must not change.
 */
const invalidLink = ({ job: { id, queue } }: Held, message: string): Ended => {
  const own = queueOf(id) !== queue ? freshId(queue, Date.now()) : id.endsWith(linkTask) ? id : id + linkTask
  const dead: Outcome.Outcome = {
    _tag: "Dead",
    error: { _tag: "PayloadInvalid", message: `${linkTask} can't be told: ${message}` }
  }
  return { _tag: "Outcome", outcome: dead, task: undefined, body: bodyOf(dead), as: own }
}
