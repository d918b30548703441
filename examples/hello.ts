/**
 * A task with a typed result. Run it with Redis on REDIS_URL:
 *
 *     node examples/hello.ts
 */
import { Effect, Layer, Schema } from "effect"
import { layer, Task, Workers } from "../src/engine.ts"

const Hello = Task.make("hello", {
  payload: { name: Schema.String },
  result: Schema.Struct({ greeting: Schema.String, letters: Schema.Int })
})

const HelloLive = Hello.toLayer(
  Effect.succeed(({ name }) => Effect.succeed({ greeting: `Hello, ${name}!`, letters: name.length }))
)

const program = Effect.gen(function* () {
  const { greeting, letters } = yield* Hello.run({ name: "world" })
  console.log(`${greeting} (${letters} letters)`)
  const later = yield* Hello.run({ name: "you" }, { delay: "100 millis" })
  console.log(later.greeting)
})

const engine = layer({
  url: process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379",
  namespace: process.env["LOGLYTICS_NAMESPACE"] ?? "example"
})
const app = Workers.layer().pipe(Layer.provide(HelloLive), Layer.provideMerge(engine))

await Effect.runPromise(Effect.provide(program, app))
