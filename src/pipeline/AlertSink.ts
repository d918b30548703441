/**
 * The pipeline's way out for judgements: whoever provides this turns an alert that changed into jobs. A port, because the
 * pipeline may not know tasks. Called again for the same change after a crash, so it must be idempotent.
 */
import { Context, type Effect } from "effect"
import type { Alert } from "../domain/Alert.ts"

/** Handing on failed for now; the pipeline tries again. */
export interface SinkError {
  readonly message: string
}

export class AlertSink extends Context.Service<
  AlertSink,
  { readonly changed: (alert: Alert) => Effect.Effect<void, SinkError> }
>()("loglytics/pipeline/AlertSink") {}
