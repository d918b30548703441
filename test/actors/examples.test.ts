/** The programs of `examples/` run as they stand, and print what they should. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { freshNamespace, redisUrl } from "../support/engine.ts"

const namespace = freshNamespace("examples")

const output = (name: string) =>
  Effect.callback<string>((resume) => {
    execFile(
      process.execPath,
      ["--no-warnings", fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url))],
      { env: { ...process.env, REDIS_URL: redisUrl, LOGLYTICS_NAMESPACE: namespace }, timeout: 15_000 },
      (error, stdout, stderr) => resume(error === null ? Effect.succeed(stdout) : Effect.die(new Error(stderr)))
    )
  })

it.live("hello", () =>
  Effect.gen(function* () {
    assert.strictEqual(yield* output("hello"), "Hello, world! (5 letters)\nHello, you!\n")
  })
)

it.live("flow", () =>
  Effect.gen(function* () {
    assert.strictEqual(
      yield* output("flow"),
      "attempt 1 at Cairo: offline\nattempt 2 at Cairo: offline\nToday: Bergen 48.2 F, Cairo 87.80000000000001 F, Lima 66.2 F\n"
    )
  })
)
