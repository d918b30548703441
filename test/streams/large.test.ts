/**
 * Large payloads: what one command or script has Redis copy is bounded in characters as well as in number, so that jobs of
 * half a megabyte hold it no longer than many small ones do.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { vi } from "vitest"
import { chosenId } from "../../src/jobs/JobQueue.ts"
import { Control } from "../../src/streams/Control.ts"
import { DeadLetters } from "../../src/streams/DeadLetters.ts"
import * as JobQueues from "../../src/streams/JobQueues.ts"
import { keysOf } from "../../src/streams/Keys.ts"
import { Redis } from "../../src/streams/Redis.ts"
import * as Scripts from "../../src/streams/Scripts.ts"
import * as Settling from "../../src/streams/Settling.ts"
import { clientLayer, freshNamespace } from "../support/engine.ts"

const namespace = freshNamespace("large")
const keys = keysOf(namespace)
const payload = JSON.stringify("x".repeat(500_000))
const count = 12
/** A quarter of a million characters are the limit, and what passes it is the last; so two of these. */
const mostAtOnce = 2

const add = Effect.fnUntraced(function* (queue: "default" | "low-priority" | "high-priority") {
  const redis = yield* Redis
  const k = keys.queue(queue)
  const one = (n: number) => ({
    id: chosenId(queue, `large${n}`) ?? ("" as never),
    task: "large",
    payload,
    meta: "",
    delayMs: undefined,
    check: "c"
  })
  yield* redis.use("add", async (client) => {
    for (let n = 0; n < count; n++) await JobQueues.add(client, k, keys.control, 1_000, [one(n)])
  })
  return { k, client: redis.client }
})

layer(clientLayer(namespace), { excludeTestServices: true })("large payloads", (it) => {
  it.effect("orphans are taken over a few at a time, each once", () =>
    Effect.gen(function* () {
      const { client, k } = yield* add("default")
      const orphans = yield* Effect.promise(() => JobQueues.read(client, k, "lost", count, 1))
      assert.strictEqual(orphans.length, count)
      const taken: Array<string> = []
      let cursor = "0-0"
      do {
        const found = yield* Effect.promise(() =>
          JobQueues.reclaim(client, k, "heir", 0, cursor, 50, Date.now() + 60_000)
        )
        assert.isAtMost(found.jobs.length, mostAtOnce)
        taken.push(...found.jobs.map((job) => job.id))
        cursor = found.cursor
      } while (cursor !== "0-0")
      assert.deepStrictEqual(
        taken,
        orphans.map((job) => job.id)
      )
      yield* Effect.promise(() =>
        Settling.settle(
          client,
          k,
          keys.control,
          "heir",
          taken.map((id, i) => dead(id, orphans[i]))
        )
      )
    })
  )
  it.effect("dead letters are read and put back a few at a time", () =>
    Effect.gen(function* () {
      const letters = yield* DeadLetters
      const { client } = yield* Redis
      // What the service asks Redis for, and what of it comes back.
      const looks = [vi.spyOn(client, "xrange"), vi.spyOn(client, "xrevrange")]
      const calls = vi.spyOn(client, "evalsha")
      yield* Effect.addFinalizer(() => Effect.sync(() => vi.restoreAllMocks()))
      assert.strictEqual((yield* letters.list()).letters.length, count)
      assert.strictEqual((yield* letters.replayAll({})).done, count)
      const replies = looks.flatMap((spy) =>
        spy.mock.settledResults.map(({ value }) => (value as ReadonlyArray<unknown>).length)
      )
      // Digest, how many keys, the keys, two more, then four for each letter.
      const scripts = calls.mock.calls.flatMap((args) =>
        String(args[2]).endsWith(":dead") ? [(args.length - 4 - Number(args[1])) / 4] : []
      )
      // The first look does not know how large they are.
      assert.isAtMost(Math.max(...replies), 4)
      assert.isTrue(replies.filter((rows) => rows > mostAtOnce).length <= 2, String(replies))
      assert.strictEqual(
        scripts.reduce((a, b) => a + b, 0),
        count
      )
      assert.isAtMost(Math.max(...scripts), mostAtOnce)
    })
  )
  it.effect("a purge cancels them a few at a time, and all of them", () =>
    Effect.gen(function* () {
      const { client, k } = yield* add("low-priority")
      const [first] = yield* Effect.promise(() =>
        Scripts.purge(client, [k.jobs, k.delayed], [k.prefix, "workers", 60_000, "{}"])
      )
      assert.isTrue(first >= 1 && first < count, String(first))
      assert.strictEqual(yield* Control.use((control) => control.purge("low-priority")), count - first)
    })
  )
  it.effect("a task's jobs are found a few at a time, and all of them", () =>
    Effect.gen(function* () {
      const { client, k } = yield* add("high-priority")
      const [, , looked] = yield* Effect.promise(() =>
        Scripts.find(client, [k.jobs], ["stream", k.prefix, "large", "-", 128])
      )
      assert.isTrue(looked >= 1 && looked < count + 1, String(looked))
      const { cancelled } = yield* Control.use((control) => control.revokeTask("large"))
      assert.isAtLeast(cancelled, count)
    })
  )
})

const dead = (id: string, claim: JobQueues.Claimed | undefined): Settling.Settlement => ({
  kind: "X",
  claim: { entry: claim?.entry ?? "", count: 2 },
  id,
  task: "large",
  run: "1:1:1:1",
  body: '{"_tag":"Large"}',
  ms: 60_000,
  meta: "",
  link: "",
  unique: ""
})
