/** What follows a change of rules, whoever made it: the pipeline judges by them, and people hear of alerts that ended with it. */
import { Clock, Effect } from "effect"
import type { Alert } from "../../domain/Alert.ts"
import type { ProjectId } from "../../domain/Ids.ts"
import { Engine } from "../../jobs/Engine.ts"
import { Live } from "../../streams/Live.ts"
import { LogStream } from "../../streams/LogStream.ts"
import { lookAt } from "../../tasks/live/send_alerts.ts"
import { orUnavailable } from "./common.ts"

export const makeRuleChanges = Effect.gen(function* () {
  const stream = yield* LogStream
  const live = yield* Live
  const engine = yield* Engine
  return {
    /**
     * The change is kept before the stream is told, and that before the answer: lines sent after it are judged by the new rules. What
     * can't be told of ended alerts now, the safety net finds.
     */
    tell: Effect.fnUntraced(function* (project: ProjectId, ended: ReadonlyArray<Alert>) {
      const now = yield* Clock.currentTimeMillis
      yield* orUnavailable(stream.rulesChanged(project, now))
      if (ended.length === 0) return
      yield* Effect.ignore(live.publish("alerts", project, ended))
      yield* Effect.ignore(Effect.provideService(lookAt(ended), Engine, engine))
    })
  }
})
