/** What people call things. */
import { Schema } from "effect"

/** 1 to 200 characters, without control characters. */
export const Name = Schema.String.check(
  Schema.isPattern(/^\P{Cc}{1,200}$/u, { message: "expected 1 to 200 characters without control characters" })
).annotate({ identifier: "Name" })
