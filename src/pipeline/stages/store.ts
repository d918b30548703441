/** Events go to Postgres, all batches of a turn in one transaction together with their ids, so each line is kept once. */
import { Effect } from "effect"
import type { ProjectId } from "../../domain/Ids.ts"
import type { StoreError } from "../../store/Database.ts"
import { Logs } from "../../store/Logs.ts"
import type { Decoded, Stage, Work } from "../Stage.ts"

/** Stores decoded batches; a batch that was stored before gets no `firstId`. */
const storeBatches = Effect.fnUntraced(function* (decoded: ReadonlyArray<Decoded>) {
  const logs = yield* Logs
  const full = decoded.filter(({ events }) => events.length > 0)
  if (full.length === 0) return decoded
  const { firstIds } = yield* logs.append(
    full.map(({ entry, events }) => ({
      id: entry.id,
      project: entry.project as ProjectId,
      observedAt: entry.receivedAt,
      events
    }))
  )
  return decoded.map((one): Decoded => {
    const firstId = firstIds.get(one.entry.id)
    return firstId === undefined ? one : { ...one, firstId }
  })
})

export const store: Stage<StoreError, Logs> = {
  name: "store",
  run: (work: Work) => Effect.map(storeBatches(work.decoded), (decoded) => ({ ...work, decoded }))
}
