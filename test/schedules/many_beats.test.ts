/** Many beats, no slot twice, none missed: in virtual time with random turns, and as processes with wrong clocks, one killed. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Task from "../../src/jobs/Task.ts"
import * as Beat from "../../src/schedules/Beat.ts"
import * as Policy from "../../src/schedules/Policy.ts"
import { Schedules } from "../../src/schedules/Schedules.ts"
import * as JobEntry from "../../src/streams/JobEntry.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { clientLayer, eventually, freshNamespace, redisUrl } from "../support/engine.ts"
import { inCode, Tick } from "./beat_process.ts"

/** A small generator of numbers, the same for the same seed. */
const randomOf = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 4_294_967_296) * below)
  }
}

const Silent = Task.make("silent", { payload: { n: Schema.Int } })
const job = Silent.job({ n: 1 })
// The last Sunday of October 2026: Berlin's clocks go back at 1:00 UTC.
const start = Date.parse("2026-10-25T00:20:00Z")
// Turns are up to 44 s apart, or more where all beats sleep or hold each other up: what is late by then is made up for.
const misfire = { allWithin: "10 minutes" } as const
const threes = Beat.crontab({ minute: "*/3" })
const schedules = [
  Beat.every("17 seconds", "seventeens", job, { misfire }),
  Beat.cron("*/20 * * * * *", "twenties", job, { misfire }),
  Beat.cron("*/10 2 * * *", "in_the_night", job, { timeZone: "Europe/Berlin", misfire }),
  Beat.cron(threes, "threes", job, { timeZone: ["Asia/Kathmandu", "Europe/Berlin"], misfire }),
  Beat.every("1 minute", "few", job, { maxRuns: 5, misfire })
]

const virtual = freshNamespace("beats")
it.live(
  "fires each slot once, whoever comes first, however late",
  () =>
    Effect.gen(function* () {
      const seed = Date.now() % 1_000_000
      const random = randomOf(seed)
      const beats = yield* Effect.all(Array.from({ length: 4 }, () => Layer.build(Layer.fresh(clientLayer(virtual)))))
      const fired: Array<string> = []
      const end = start + 75 * 60_000
      let now = start
      for (; now < end; now += 1_000 + random(40_000)) {
        const turns = yield* Effect.forEach(
          beats.filter(() => random(3) > 0),
          // Beats differ by up to 3 s in when they look.
          (context) => Effect.provideContext(Beat.turn(schedules, now - random(3_000)), context),
          { concurrency: "unbounded" }
        )
        for (const turn of turns) for (const f of turn.fired) fired.push(`${f.name} ${f.slot}`)
      }
      // What one beat held while another looked is left for the next turn.
      const [last] = beats
      const rest = yield* Effect.provideContext(Beat.turn(schedules, now), last ?? beats[0]!)
      for (const f of rest.fired) fired.push(`${f.name} ${f.slot}`)
      const first = new Map<string, number>()
      for (const f of fired) {
        const [name = "", slot] = f.split(" ")
        first.set(name, Math.min(first.get(name) ?? Number.POSITIVE_INFINITY, Number(slot)))
      }
      const expected = schedules.flatMap((s) =>
        Policy.slotsBetween(s.when, (first.get(s.name) ?? now) - 1, now, s.maxRuns ?? 10_000).map(
          (t) => `${s.name} ${t}`
        )
      )
      assert.deepStrictEqual(fired.toSorted(), expected.toSorted(), `seed ${seed}`)
      assert.strictEqual(fired.filter((f) => f.startsWith("in_the_night")).length, 4, "2:20 to 2:50, once each")
      assert.strictEqual(fired.filter((f) => f.startsWith("few")).length, 5)
    }).pipe(Effect.scoped),
  90_000
)

const file = fileURLToPath(new URL("./beat_process.ts", import.meta.url))
const spawnBeat = (namespace: string, skew: number) =>
  Effect.acquireRelease(
    Effect.callback<ChildProcess>((resume) => {
      const child = spawn(process.execPath, ["--no-warnings", file], {
        env: { ...process.env, BEAT_NAMESPACE: namespace, BEAT_SKEW: String(skew), REDIS_URL: redisUrl },
        stdio: ["ignore", "pipe", "inherit"]
      })
      child.stdout?.once("data", () => resume(Effect.succeed(child)))
    }),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

const real = freshNamespace("beat-processes")
it.live(
  "three processes with clocks hours apart, one killed and one frozen: each second once",
  () =>
    Effect.gen(function* () {
      const redis = yield* Redis
      const slots = (name: string) =>
        redis.use("xrange", async (c) => {
          const entries = await c.xrange(`${real}:{default}:jobs`, "-", "+")
          const ids = entries
            .map(([, fields]) => JobEntry.read(fields).id)
            .filter((id) => id.startsWith(`d-beat:${name}:`))
          return ids.map((id) => Number(id.split(":")[2]))
        })
      const more = (name: string, count: number) =>
        Effect.flatMap(slots(name), (before) =>
          eventually(
            `${count} more of ${name}`,
            Effect.map(slots(name), (now) => now.length >= before.length + count),
            30_000
          )
        )
      const [killed, frozen] = yield* Effect.all(
        [spawnBeat(real, 7_200_000), spawnBeat(real, -86_400_000), spawnBeat(real, 0)],
        { concurrency: 3 }
      )
      yield* more("each_second", 2)
      const api = yield* Schedules
      yield* api.create({ name: "added", task: "tick", payload: { n: 2 }, cron: "* * * * * *" })
      yield* more("added", 1)
      killed.kill("SIGKILL")
      frozen.kill("SIGSTOP")
      yield* more("each_second", 2)
      frozen.kill("SIGCONT")
      yield* more("added", 2)
      for (const name of ["each_second", "added"]) {
        const all = (yield* slots(name)).toSorted((a, b) => a - b)
        assert.deepStrictEqual(
          all,
          all.map((_, i) => (all[0] ?? 0) + i * 1_000),
          name
        )
      }
    }).pipe(Effect.scoped, Effect.provide(Schedules.layer(inCode, [Tick]).pipe(Layer.provideMerge(clientLayer(real))))),
  90_000
)
