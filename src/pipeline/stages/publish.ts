/** Stored lines are pushed to those who tail the project, where anybody does. Best effort: the lines are kept already. */
import { Effect } from "effect"
import type { ProjectId } from "../../domain/Ids.ts"
import type { StoredEvent } from "../../domain/LogEvent.ts"
import { toStored } from "../../store/LogRows.ts"
import { Live } from "../../streams/Live.ts"
import type { Decoded, Stage, Work } from "../Stage.ts"

const storedEvents = ({ entry, events, firstId }: Decoded): ReadonlyArray<StoredEvent> =>
  firstId === undefined
    ? []
    : events.map((event, i) => toStored(entry.project as ProjectId, entry.receivedAt, firstId + i, event))

export const publish: Stage<never, Live> = {
  name: "publish",
  run: (work: Work) =>
    Effect.gen(function* () {
      const live = yield* Live
      const projects = [...new Set(work.decoded.filter((d) => d.events.length > 0).map((d) => d.entry.project))]
      const tailed = yield* live.tailed(projects)
      for (const one of work.decoded) {
        if (!tailed.has(one.entry.project)) continue
        const events = storedEvents(one)
        if (events.length > 0) yield* live.publish("tail", one.entry.project, events)
      }
    }).pipe(
      Effect.catch((error) => Effect.logWarning("lines not pushed to live clients", error.message)),
      Effect.as(work)
    )
}
