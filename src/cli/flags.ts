/** Flags that several commands share. */
import { Flag } from "effect/cli"

export const json = Flag.Boolean("json").pipe(Flag.withDefault(false), Flag.withDescription("print JSON"))
export const project = Flag.String("project").pipe(
  Flag.withAlias("p"),
  Flag.withDefault("default"),
  Flag.withDescription("project")
)
export const url = Flag.String("url").pipe(
  Flag.optional,
  Flag.withDescription("server, else LOGLYTICS_URL or this host's")
)
export const key = Flag.String("key").pipe(
  Flag.optional,
  Flag.withDescription("API key, else LOGLYTICS_API_KEY or this host's")
)
