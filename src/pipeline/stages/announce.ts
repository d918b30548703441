/** Verdicts are kept as alerts and handed to the sink, which makes jobs of them. Idempotent: an alert never goes back. */
import { Effect } from "effect"
import type { StoreError } from "../../store/Database.ts"
import { Alerts } from "../../store/Alerts.ts"
import { AlertSink, type SinkError } from "../AlertSink.ts"
import type { Stage, Work } from "../Stage.ts"

export const announce: Stage<StoreError | SinkError, Alerts | AlertSink> = {
  name: "announce",
  run: Effect.fnUntraced(function* (work: Work) {
    const alerts = yield* Alerts
    const sink = yield* AlertSink
    for (const verdict of work.verdicts) {
      const { alert } = yield* alerts.apply(verdict)
      yield* sink.changed(alert)
    }
    return work
  })
}
