/**
 * Payloads, results and errors on their way: both ways between a schema's type and JSON data. Promises that what does not fit is
 * told with every fault and its path, and that nothing is lost on the way without being told. Pure.
 */
import { Exit, Result, Schema, SchemaAST, SchemaIssue } from "effect"
import { enable as compile } from "effect/schema/SchemaJITCompiler"
import type { Issue } from "./Engine.ts"
import type * as Job from "./Job.ts"
import * as Json from "./Json.ts"

const format = SchemaIssue.makeFormatterStandardSchemaV1()
const issuesOf = (cause: Exit.Failure<unknown, Schema.SchemaError>["cause"]): ReadonlyArray<Issue> => {
  const fail = cause.reasons.find((r) => r._tag === "Fail")
  if (fail === undefined) {
    const died = cause.reasons.find((r) => r._tag === "Die")?.defect
    const why = died instanceof Error ? died.message : "it needs a service, or is asynchronous"
    return [{ path: "", message: `the schema's own check failed: ${why}` }]
  }
  return format(fail.error.issue).issues.map((i) => ({
    path: (i.path ?? []).map((p) => String(typeof p === "object" ? p.key : p)).join("."),
    message: i.message
  }))
}

/** Both ways between a schema's type and JSON data, made once per task. */
export const codecOf = (schema: Schema.Top) => {
  const json = Schema.toCodecJson(schema) as unknown as Schema.Codec<unknown, unknown>
  // Both ways are asked for every job: a compiled check takes a quarter of the time. Where code can't be compiled, all is as before.
  compile(json.ast)
  compile(SchemaAST.flip(json.ast))
  const decodeExit = Schema.decodeUnknownExit(json, { errors: "all" })
  const encodeExit = Schema.encodeUnknownExit(json, { errors: "all" })
  const asResult = (exit: Exit.Exit<unknown, Schema.SchemaError>): Job.Encoded =>
    Exit.isSuccess(exit) ? Result.succeed(exit.value) : Result.fail(issuesOf(exit.cause))
  const open = Json.isOpen(json)
  return {
    decode: (u: unknown) => asResult(decodeExit(u)),
    encode: (u: unknown) => {
      const encoded = asResult(encodeExit(u))
      return open ? Result.flatMap(encoded, Json.checked) : encoded
    }
  }
}

/** Encodes some of a struct's fields, for the part of a chain's payload that is known beforehand. */
export const partialCodec = (fields: Schema.Struct.Fields) => {
  const known = new Map<string, ReturnType<typeof codecOf>>()
  return (part: object): Job.Encoded => {
    const keys = Object.keys(part).filter((k) => Object.hasOwn(fields, k))
    const name = keys.join("\n")
    let codec = known.get(name)
    if (codec === undefined) {
      codec = codecOf(Schema.Struct(Object.fromEntries(keys.map((k) => [k, fields[k] as Schema.Top]))))
      known.set(name, codec)
    }
    return codec.encode(part)
  }
}
