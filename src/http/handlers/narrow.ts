/** What narrows a question about lines, read from the query of a request. */
import { Effect } from "effect"
import { type Level, levels } from "../../domain/Level.ts"
import * as Query from "../../domain/Query.ts"
import { type Invalid, invalid } from "../Errors.ts"
import { instant } from "./common.ts"

/** The fields of `narrowing` (api/logs.ts), as they come. */
interface Asked {
  readonly q?: string
  readonly level?: string
  readonly service?: string
  readonly from?: string
  readonly to?: string
}

const levelList = (text: string | undefined): Effect.Effect<ReadonlyArray<Level> | undefined, Invalid> => {
  if (text === undefined || text === "") return Effect.succeed(undefined)
  const named = text.split(",").map((word) => word.trim().toLowerCase())
  const wrong = named.find((word) => !levels.includes(word as Level))
  return wrong === undefined
    ? Effect.succeed(named as ReadonlyArray<Level>)
    : Effect.fail(invalid("query.level", `expected ${levels.join(", ")}, got ${JSON.stringify(wrong)}`))
}

/** Reads them all; every fault names its field. */
export const narrow = Effect.fnUntraced(function* (asked: Asked) {
  const parsed = Query.parse(asked.q ?? "")
  if (!parsed.ok) {
    return yield* invalid("query.q", `at ${parsed.position}: expected ${parsed.expected}, got ${parsed.got}`)
  }
  const named = yield* levelList(asked.level)
  const from = yield* instant("query.from", asked.from)
  const to = yield* instant("query.to", asked.to)
  return {
    query: parsed.query,
    ...(named === undefined ? {} : { levels: named }),
    ...(asked.service === undefined ? {} : { service: asked.service }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to })
  }
})
