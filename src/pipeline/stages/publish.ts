/**
 * Stored lines are pushed to those who tail the project, where anybody does. Best effort, since the lines are kept already; but
 * where some may not have been pushed, those who tail are told.
 */
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
      const full = work.decoded.filter((d) => d.events.length > 0)
      const projects = [...new Set(full.map((d) => d.entry.project))]
      const tell = Effect.gen(function* () {
        const tailed = yield* live.tailed(projects)
        for (const one of full) {
          if (!tailed.has(one.entry.project)) continue
          // Stored before: whoever did it may have died before telling.
          if (one.firstId === undefined) live.missed(one.entry.project)
          yield* live.publish("tail", one.entry.project, storedEvents(one))
        }
      })
      return yield* tell.pipe(
        Effect.catch((error) => {
          for (const project of projects) live.missed(project)
          return Effect.logWarning("lines not pushed to live clients", error.message)
        }),
        Effect.as(work)
      )
    })
}
