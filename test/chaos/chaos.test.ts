/**
 * Chaos in small: families of verbs, and a mix of all; each run is judged by all checks. Long runs: `npm run chaos`. With
 * CHAOS_SEED another seed than the usual one is played.
 *
 * Redis fsyncs before each answer here (`appendfsync always`), so what was accepted is on disk. With `everysec` it has been
 * written, so a kill -9 of Redis loses nothing either; only a crash of the whole machine may lose the last second.
 */
import { assert, describe, it } from "vitest"
import { findRedis } from "../../scripts/launch/redis_binary.mjs"
import { type Plan, run } from "./Chaos.ts"
import { type VerbName, verbNames, words } from "./Verbs.ts"

const seed = Number(process.env["CHAOS_SEED"] ?? 7)
const { container } = await findRedis(process.env)

/** Plays a plan and fails with everything that is needed to play it again. */
const play = async (plan: Plan): Promise<Readonly<Record<string, number>>> => {
  const { deeds, figures, findings, stories } = await run(plan)
  const story = `seed ${plan.seed}\n${deeds.map(words).join("\n")}\n${JSON.stringify(figures)}\n${stories.join("\n")}`
  assert.deepStrictEqual(findings, [], `${story}\n${findings.join("\n")}`)
  return figures
}

/** Verbs that belong together; then all of them. */
const scenes: ReadonlyArray<readonly [title: string, only: ReadonlyArray<VerbName>]> = [
  [
    "workers are killed, frozen, stopped, cut off and set off",
    ["kill", "freeze", "stop", "cut", "silence", "slow", "skew"]
  ],
  [
    "Redis is killed and restarted, groups vanish, callers are cut off",
    ["killRedis", "restartRedis", "destroyGroup", "cutCaller", "clientKill", "pause"]
  ],
  ["everything happens at once", verbNames]
]

// A server in a container can't be killed by its process.
describe.skipIf(container)("nothing is lost and nothing ends twice while", () => {
  for (const [title, only] of scenes) {
    // Eight seconds of harm; a machine under load takes long to start workers and to finish.
    it(title, { timeout: 150_000 }, async () => {
      const figures = await play({ seed, forMs: 8_000, deedsPerSecond: 1.5, asksPerSecond: 40, only })
      assert.isAtLeast(figures["deeds"] ?? 0, 3)
      assert.isAtLeast(figures["jobs"] ?? 0, 200)
    })
  }
})
