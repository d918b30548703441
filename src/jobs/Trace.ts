/**
 * Traces across the queue: the span of whoever enqueues a job is the parent of the span of its run, and that of the jobs
 * enqueued while it runs (W3C traceparent, in the job's meta). Promises that nothing is made and nothing travels where no
 * tracer is installed; where spans go (OTLP) is the matter of whoever installs one.
 */
import { Context, Effect, type Fiber, Option, Tracer } from "effect"
import { Headers, HttpTraceContext } from "effect/http"

/** What a span tells of a job, named after OpenTelemetry's conventions for messaging. */
export interface Traced {
  readonly task: string
  readonly queue: string
  /** Of a run only. */
  readonly id?: string
  readonly attempt?: number
}

const attributesOf = (job: Traced, operation: "send" | "process") => ({
  "messaging.system": "redis",
  "messaging.operation.type": operation,
  "messaging.destination.name": job.queue,
  "loglytics.task": job.task,
  ...(job.id === undefined ? {} : { "messaging.message.id": job.id }),
  ...(job.attempt === undefined ? {} : { "loglytics.attempt": job.attempt })
})

const traceparentOf = (span: Tracer.AnySpan): string =>
  `00-${span.traceId}-${span.spanId}-${span.sampled ? "01" : "00"}`

type Caller = Fiber.Fiber<unknown, unknown>

/** Enqueues within a span of its own and hands its traceparent over, and the caller's fiber; without a tracer `send` gets undefined. */
export const producing = <A, E, R>(
  job: Traced,
  send: (traceparent: string | undefined, caller: Caller) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.withFiber((caller) =>
    caller.getRef(Tracer.Tracer) === Tracer.nativeTracer
      ? send(undefined, caller)
      : Effect.useSpan(`enqueue ${job.task}`, { kind: "producer", attributes: attributesOf(job, "send") }, (span) =>
          send(traceparentOf(span), caller)
        )
  )

const installedIn = new WeakMap<Context.Context<never>, boolean>()

/** True where the handlers of a context have a tracer. */
export const isInstalled = (context: Context.Context<never>): boolean => {
  const known = installedIn.get(context)
  if (known !== undefined) return known
  const installed = Context.get(context, Tracer.Tracer) !== Tracer.nativeTracer
  installedIn.set(context, installed)
  return installed
}

/** The run of a job as a child of the span that enqueued it. `context`: what the handler runs in, with its tracer. */
export const consuming = <A, E, R>(
  context: Context.Context<never>,
  job: Traced,
  traceparent: string | undefined,
  run: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const installed = isInstalled(context)
  const parent =
    traceparent === undefined
      ? undefined
      : Option.getOrUndefined(HttpTraceContext.w3c(Headers.fromRecordUnsafe({ traceparent })))
  if (!installed) return parent === undefined ? run : Effect.provideService(run, Tracer.ParentSpan, parent)
  return Effect.withSpan(run, `run ${job.task}`, {
    kind: "consumer",
    attributes: attributesOf(job, "process"),
    captureStackTrace: false,
    ...(parent === undefined ? { root: true } : { parent })
  }) as Effect.Effect<A, E, R>
}
