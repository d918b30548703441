/** What a thread and its pool say to each other. Types only, so that a thread loads nothing for them. */
import type { Thrown } from "../../jobs/ThreadHandler.ts"

/** The pool to the thread: one job. */
export interface Ask {
  readonly payload: unknown
  readonly job: { readonly id: string; readonly attempt: number; readonly task: string }
}

/** The thread to the pool. `heapBytes`: what the thread's heap and its buffers hold after the job. */
export type Answer =
  | { readonly kind: "progress"; readonly value: unknown }
  | { readonly kind: "done"; readonly result: string; readonly heapBytes: number }
  | { readonly kind: "failed"; readonly thrown: Thrown; readonly heapBytes: number }
