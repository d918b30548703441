/**
 * Jobs joined: a group whose members are chains, one of which fails twice before it succeeds; what follows has all results
 * in order. Run it with Redis on REDIS_URL:
 *
 *     node examples/flow.ts
 */
import { Effect, Layer, Schema } from "effect"
import { Engine, Flow, layer, Retry, Task, Workers } from "../src/engine.ts"

class Offline extends Schema.TaggedError<Offline>()("Offline", { city: Schema.String }) {}

const Measure = Task.make("measure", {
  payload: { city: Schema.String },
  result: Schema.Struct({ city: Schema.String, celsius: Schema.Finite }),
  error: Offline,
  retry: Retry.exponential({ attempts: 3, base: "50 millis" })
})
const Describe = Task.make("describe", {
  payload: { city: Schema.String, celsius: Schema.Finite, unit: Schema.Literals(["C", "F"]) },
  result: Schema.String
})
const Publish = Task.make("publish", {
  payload: { results: Schema.Array(Schema.String), title: Schema.String },
  result: Schema.String,
  queue: "high-priority"
})

const degrees: Record<string, number> = { Bergen: 9, Cairo: 31, Lima: 19 }

const tasks = Layer.mergeAll(
  Measure.toLayer(
    Effect.succeed(({ city }, job) => {
      if (city === "Cairo" && job.attempt < 3) {
        console.log(`attempt ${job.attempt} at ${city}: offline`)
        return Effect.fail(new Offline({ city }))
      }
      return Effect.succeed({ city, celsius: degrees[city] ?? 0 })
    })
  ),
  Describe.toLayer(
    Effect.succeed(({ celsius, city, unit }) =>
      Effect.succeed(`${city} ${unit === "C" ? celsius : celsius * 1.8 + 32} ${unit}`)
    )
  ),
  Publish.toLayer(Effect.succeed(({ results, title }) => Effect.succeed(`${title}: ${results.join(", ")}`)))
)

const program = Effect.gen(function* () {
  const engine = yield* Engine
  const cities = ["Bergen", "Cairo", "Lima"].map((city) => Measure.job({ city }).andThen(Describe, { unit: "F" }))
  const id = yield* engine.enqueue(Flow.all(cities).andThen(Publish, { title: "Today" }))
  console.log(yield* engine.await(id))
})

const engine = layer({
  url: process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379",
  namespace: process.env["LOGLYTICS_NAMESPACE"] ?? "example"
})
const app = Workers.layer().pipe(Layer.provide(tasks), Layer.provideMerge(engine))

await Effect.runPromise(Effect.provide(program, app))
