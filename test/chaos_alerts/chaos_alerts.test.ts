/**
 * Chaos over alerts, in small: whatever is killed when, each alert reaches a receiver, none that did not happen does, and none
 * twice. Long runs: `npm run chaos -- --alerts 1000`. With CHAOS_SEED another seed than the usual one is played.
 */
import { assert, describe, it } from "vitest"
import { findRedis } from "../../scripts/launch/redis_binary.mjs"
import { words } from "../chaos_lines/Verbs.ts"
import { run } from "./Chaos.ts"
import * as Checks from "./Checks.ts"

const seed = Number(process.env["CHAOS_SEED"] ?? 7)
const { container } = await findRedis(process.env)

// A server in a container can't be killed by its process.
describe.skipIf(container)("each alert is told once", () => {
  it("while doors, workers, Redis and Postgres are killed, frozen and cut off", { timeout: 420_000 }, async () => {
    const { deeds, figures, findings } = await run({
      seed,
      forMs: 8_000,
      alerts: 100,
      deedsPerSecond: 0.8,
      ends: false
    })
    const story = `seed ${seed}\n${deeds.map(words).join("\n")}\n${JSON.stringify(figures)}`
    assert.deepStrictEqual(findings, [], `${story}\n${findings.join("\n")}`)
    assert.isAtLeast(figures["deeds"] ?? 0, 2, story)
    assert.isAtLeast(figures["told"] ?? 0, 100, story)
  })
})

describe("the checks of chaos over alerts", () => {
  const good: Checks.Evidence = {
    fired: ["a"],
    quiet: ["q"],
    alerts: new Map([["a", ["resolved"]]]),
    told: [
      { id: "1", type: "alert.firing", rules: ["a"] },
      { id: "2", type: "alert.resolved", rules: ["a"] }
    ]
  }
  it("find nothing in a good run", () => {
    assert.deepStrictEqual(Checks.judge(good), [])
  })
  it.each<[string, Partial<Checks.Evidence>]>([
    ["an alert that nobody was told of", { told: [] }],
    ["one that did not happen", { told: [...good.told, { id: "3", type: "alert.firing", rules: ["q"] }] }],
    ["one that was told twice", { told: [...good.told, { id: "3", type: "alert.firing", rules: ["a"] }] }],
    ["one that came twice", { alerts: new Map([["a", ["resolved", "firing"]]]) }],
    ["an end that nobody was told of", { told: good.told.slice(0, 1) }]
  ])("see %s", (_, fault) => {
    assert.isNotEmpty(Checks.judge({ ...good, ...fault }))
  })
})
