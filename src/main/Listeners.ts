/**
 * The doors without HTTP: syslog, Fluent forward and Kafka, where their settings name them. They ask for no API key, so they
 * listen on HOST (this host only, by default). Each feeds one project; a full stream slows them down and loses nothing that
 * was acknowledged.
 */
import { Cause, Effect, Redacted, Schedule, type Scope } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import { listeners } from "../ingest/all.ts"
import type { Sink } from "../ingest/sources/Gather.ts"
import type { ListenError } from "../ingest/sources/Listening.ts"
import { Intake } from "../pipeline/Intake.ts"
import type { Settings } from "../Settings.ts"

/** Starts what is configured; ends with the scope. Fails only where a port can't be listened on. */
export const startListeners = Effect.fnUntraced(function* (
  s: Settings
): Effect.fn.Return<void, ListenError, Intake | Scope.Scope> {
  const intake = yield* Intake
  const sinkOf =
    (project: ProjectId): Sink =>
    (events, key) =>
      Effect.asVoid(intake.submitEvents(project, events, key))
  const host = s.listenHost ?? s.host
  const admits = s.listenAllow
  if (s.syslogPort !== undefined) {
    yield* listeners.syslog({ host, port: s.syslogPort, admits, sink: sinkOf(s.syslogProject) })
    yield* Effect.logInfo(`hears syslog on ${host}:${s.syslogPort}, TCP and UDP`)
  }
  if (s.forwardPort !== undefined) {
    const sharedKey = s.forwardSharedKey === undefined ? undefined : Redacted.value(s.forwardSharedKey)
    yield* listeners.forward({ host, port: s.forwardPort, admits, sink: sinkOf(s.forwardProject), sharedKey })
    yield* Effect.logInfo(`hears the forward protocol on ${host}:${s.forwardPort}`)
  }
  if (s.kafkaBrokers.length > 0 && s.kafkaTopics.length > 0) {
    yield* listeners
      .kafka({
        brokers: s.kafkaBrokers,
        topics: s.kafkaTopics,
        group: s.kafkaGroup,
        sink: sinkOf(s.kafkaProject),
        tls: s.kafkaTls,
        sasl:
          s.kafkaUser === undefined || s.kafkaPassword === undefined
            ? undefined
            : { mechanism: s.kafkaMechanism, username: s.kafkaUser, password: s.kafkaPassword }
      })
      .pipe(
        Effect.tapCause((cause) =>
          Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logWarning("Kafka is read again in 5 s", cause)
        ),
        Effect.sandbox,
        Effect.retry(Schedule.spaced("5 seconds")),
        Effect.forkScoped
      )
  }
})
