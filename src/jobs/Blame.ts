/** Who is to blame where a flow fails: the job that failed first. Pure. */
import type { Failure } from "./Engine.ts"

export interface Blame {
  readonly id: string
  readonly task: string
  readonly error: Failure
}

/** What the jobs that wait for a failed one end with: `id`, `task` and `cause` tell which failed first, and why. */
export const flowFailed = ({ error, id, task }: Blame): Failure => ({
  _tag: "FlowFailed",
  message: `job ${id} (${task}) failed: ${error._tag}${error.message === undefined ? "" : `: ${error.message}`}`.slice(
    0,
    500
  ),
  id,
  task,
  cause: error
})
