/** The failure that any task may have: something it needs does not answer. */
import { Schema } from "effect"

/** Postgres, Redis or another server refused or was not there; tried again while `retryable`. */
export class DependencyFailed extends Schema.TaggedError<DependencyFailed>()("DependencyFailed", {
  reason: Schema.String,
  retryable: Schema.Boolean
}) {
  override get message(): string {
    return this.reason
  }
}

/** Makes a DependencyFailed of an error that says what happened and whether trying again can help. */
export const dependencyFailed = (error: { readonly message: string; readonly retryable?: boolean }): DependencyFailed =>
  new DependencyFailed({ reason: error.message, retryable: error.retryable ?? true })
