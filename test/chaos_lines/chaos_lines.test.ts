/**
 * Chaos over lines, in small: whatever is killed when, each accepted line is stored once and counted once by its rule. Long
 * runs: `npm run chaos -- --lines`. With CHAOS_SEED another seed than the usual one is played.
 *
 * A 2xx means that Redis has the line in its append-only file: fsynced with `always`, as here, so nothing but the loss of the
 * disk loses it; with `everysec`, as in production, written, so that a kill -9 of Redis loses nothing either and only a crash
 * of the whole machine may lose the last second.
 */
import { assert, describe, it } from "vitest"
import { findRedis } from "../../scripts/launch/redis_binary.mjs"
import { run } from "./Chaos.ts"
import { words } from "./Verbs.ts"

const seed = Number(process.env["CHAOS_SEED"] ?? 11)
const { container } = await findRedis(process.env)

// A server in a container can't be killed by its process.
describe.skipIf(container)("each accepted line is stored and counted once", () => {
  it("while doors, pipelines, Redis and Postgres are killed, frozen and cut off", { timeout: 240_000 }, async () => {
    const { deeds, figures, findings } = await run({ seed, forMs: 12_000, deedsPerSecond: 1 })
    const story = `seed ${seed}\n${deeds.map(words).join("\n")}\n${JSON.stringify(figures)}`
    assert.deepStrictEqual(findings, [], `${story}\n${findings.join("\n")}`)
    assert.isAtLeast(figures["deeds"] ?? 0, 4, story)
    assert.isAtLeast(figures["accepted"] ?? 0, 500, story)
  })
})
