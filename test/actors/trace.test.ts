/** Traces across the queue, on real Redis, told over OTLP to a local receiver: caller → run → what the run enqueued. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { FetchHttpClient } from "effect/http"
import { Otlp } from "effect/observability"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import * as Workers from "../../src/actors/Supervisor.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import * as Task from "../../src/jobs/Task.ts"
import * as JobEntry from "../../src/streams/JobEntry.ts"
import { keysOf } from "../../src/streams/Keys.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { clientLayer, eventually, freshNamespace } from "../support/engine.ts"

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly attributes: ReadonlyArray<{ readonly key: string; readonly value: Readonly<Record<string, unknown>> }>
}

const Child = Task.make("child", { payload: {}, queue: "low-priority" })
const Parent = Task.make("parent", { payload: { child: Schema.Boolean }, result: Schema.NullOr(Schema.String) })

const tasks = Layer.mergeAll(
  Child.toLayer(Effect.succeed(() => Effect.void)),
  Parent.toLayer(
    Effect.map(
      Engine,
      (engine) =>
        ({ child }: { readonly child: boolean }) =>
          child ? Effect.orDie(engine.enqueue(Child.job({}))) : Effect.succeed(null)
    )
  )
)

/** A receiver of OTLP over HTTP that keeps the spans it is sent. */
const receiver = Effect.acquireRelease(
  Effect.callback<{ readonly spans: Array<Span>; readonly server: Server; readonly url: string }>((resume) => {
    const spans: Array<Span> = []
    const server = createServer((request, response) => {
      const parts: Array<Buffer> = []
      request.on("data", (part: Buffer) => parts.push(part))
      request.on("end", () => {
        if (request.url === "/v1/traces") {
          const body = JSON.parse(Buffer.concat(parts).toString()) as {
            readonly resourceSpans: ReadonlyArray<{
              readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<Span> }>
            }>
          }
          spans.push(...body.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans)))
        }
        response.setHeader("content-type", "application/json").end("{}")
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      resume(Effect.succeed({ spans, server, url: `http://127.0.0.1:${port}` }))
    })
  }),
  ({ server }) => Effect.sync(() => server.closeAllConnections())
)

it.live("spans lead from the caller to the run to what the run enqueued", () =>
  Effect.gen(function* () {
    const { spans, url } = yield* receiver
    const namespace = freshNamespace("trace")
    const telemetry = Otlp.layerJson({
      baseUrl: url,
      resource: { serviceName: "test" },
      tracerExportInterval: "50 millis"
    }).pipe(Layer.provide(FetchHttpClient.layer))
    const live = Workers.layer({ concurrency: 4 }).pipe(
      Layer.provide(tasks),
      Layer.provideMerge(clientLayer(namespace)),
      Layer.provideMerge(telemetry)
    )
    // Up to the end of the test: the child may start after its parent has ended.
    const context = yield* Layer.build(live)
    yield* Parent.run({ child: true }).pipe(Effect.withSpan("caller"), Effect.provideContext(context))
    const named = (name: string) => spans.find((s) => s.name === name)
    const run = yield* eventually(
      "the spans have come",
      Effect.sync(() => named("run child"))
    )
    // The child's run, its enqueueing, the parent's run, its enqueueing, the caller: each the parent of the one before.
    const chain = [run]
    for (let s = chain.at(-1); s?.parentSpanId !== undefined; s = chain.at(-1)) {
      const above = yield* eventually(
        `the parent of ${s.name}`,
        Effect.sync(() => spans.find((other) => other.spanId === s?.parentSpanId))
      )
      chain.push(above)
    }
    assert.deepStrictEqual(
      chain.map((s) => s.name),
      ["run child", "enqueue child", "run parent", "enqueue parent", "caller"]
    )
    assert.strictEqual(new Set(chain.map((s) => s.traceId)).size, 1)
    const attributes = Object.fromEntries(run.attributes.map((a) => [a.key, Object.values(a.value)[0]]))
    assert.strictEqual(attributes["messaging.destination.name"], "low-priority")
    assert.match(String(attributes["messaging.message.id"]), /^l-/u)
  }).pipe(Effect.scoped)
)

it.live("nothing travels where no tracer is installed", () =>
  Effect.gen(function* () {
    const namespace = freshNamespace("trace")
    yield* Effect.gen(function* () {
      const redis = yield* Redis
      yield* Parent.enqueue({ child: false }).pipe(Effect.withSpan("caller"))
      const rows = yield* redis.use("xrange", (c) => c.xrange(keysOf(namespace).queue("default").jobs, "-", "+"))
      assert.deepStrictEqual(
        rows.map((row) => JobEntry.read(row[1]).meta),
        [""]
      )
    }).pipe(Effect.provide(clientLayer(namespace)))
  })
)
