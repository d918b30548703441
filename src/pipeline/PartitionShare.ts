/**
 * How many partitions of the log stream this process owns, and which it gives back. Processes that come share with those that
 * are there: each counts who is present and takes its part, the same by everybody's reckoning, so nobody has to decide. A
 * partition is given back after what was read of it is done; the fence of the lease keeps what happens meanwhile apart.
 */
import { Deferred, Duration, Effect, type Scope } from "effect"
import type { LogStream } from "../streams/LogStream.ts"

/** The part of `partitions` that is `owner`'s, where all of `owners` are present. Pure. */
export const partOf = (partitions: number, owners: ReadonlyArray<string>, owner: string): number => {
  const rank = owners.toSorted().indexOf(owner)
  if (rank === -1) return partitions
  return Math.floor(partitions / owners.length) + (rank < partitions % owners.length ? 1 : 0)
}

export interface PartitionShare {
  /**
   * Runs `hold` where there is room for one more partition. The effect it is given ends when the partition is to be given
   * back. Answers whether there was room.
   */
  readonly within: <E, R>(
    hold: (leave: Effect.Effect<void>) => Effect.Effect<void, E, R>
  ) => Effect.Effect<boolean, E, R>
}

/** Keeps this process among the owners as long as the scope lives. */
export const make = Effect.fnUntraced(function* (
  logs: LogStream["Service"],
  owner: string,
  leaseMs: number
): Effect.fn.Return<PartitionShare, never, Scope.Scope> {
  let part = logs.partitions
  /** Partitions that are held or being taken, and how each is asked to end. */
  const held = new Set<Deferred.Deferred<void>>()
  const leaving = new Set<Deferred.Deferred<void>>()

  const look = Effect.gen(function* () {
    part = partOf(logs.partitions, yield* logs.present(owner), owner)
    // One at a time, so that what is left to do of it goes on beside the others.
    if (held.size > part && leaving.size === 0) {
      const [last] = [...held].toReversed()
      if (last === undefined) return
      leaving.add(last)
      yield* Deferred.succeed(last, undefined)
    }
  }).pipe(Effect.catch((error) => Effect.logWarning("owners of log partitions can't be counted", error.message)))
  yield* look
  yield* Effect.forkScoped(Effect.forever(Effect.delay(look, Duration.millis(leaseMs / 3))))
  yield* Effect.addFinalizer(() => logs.absent(owner).pipe(Effect.timeout("1 second"), Effect.ignore))

  return {
    within: (hold) =>
      Effect.gen(function* () {
        const leave = yield* Deferred.make<void>()
        if (held.size >= part) return false
        held.add(leave)
        yield* hold(Deferred.await(leave)).pipe(
          Effect.ensuring(
            Effect.sync(() => {
              held.delete(leave)
              leaving.delete(leave)
            })
          )
        )
        return true
      })
  }
})
