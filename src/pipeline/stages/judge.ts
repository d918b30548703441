/**
 * Every rule sees every line as it passes, before it is stored. Alerts that change are published to live clients at once;
 * keeping them and telling people is the announce stage's part.
 */
import { Effect } from "effect"
import { alertOf, type Verdict } from "../../alerts/Judge.ts"
import { Live } from "../../streams/Live.ts"
import type { Judges } from "../Judges.ts"
import type { Stage, Work } from "../Stage.ts"

/** Tells live clients of verdicts. A failure to publish is logged, not retried: the alert itself is kept by a later stage. */
export const publishVerdicts = (verdicts: ReadonlyArray<Verdict>): Effect.Effect<void, never, Live> =>
  Effect.gen(function* () {
    const live = yield* Live
    yield* Effect.forEach(verdicts, (verdict) => live.publish("alerts", verdict.project, [alertOf(verdict)]), {
      discard: true
    })
  }).pipe(Effect.catch((error) => Effect.logWarning("alert not pushed to live clients", error.message)))

/** Never fails and is never repeated: a line that was counted must not be counted again. */
export const judge = (judges: Judges): Stage<never, Live> => ({
  name: "judge",
  run: Effect.fnUntraced(function* (work: Work) {
    const verdicts: Array<Verdict> = [...work.verdicts]
    for (const { entry, events } of work.decoded) {
      if (entry.kind === "rules") {
        yield* judges.load(entry.project)
        continue
      }
      const found = (yield* judges.of(entry.project))?.batch(events, entry.receivedAt, entry.id) ?? []
      if (found.length > 0) yield* publishVerdicts(found)
      verdicts.push(...found)
    }
    return { ...work, verdicts }
  })
})
