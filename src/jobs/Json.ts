/**
 * Whether data can travel as JSON. A schema of strings, numbers, dates … encodes to JSON by itself; one that takes anything
 * (`Any`, `Unknown`, `ObjectKeyword`) lets through what JSON cannot hold. Promises that this is said when it is encoded.
 */
import { Result, type Schema, SchemaAST } from "effect"
import type { Issue } from "./Engine.ts"

/** True where a codec to JSON lets values through as they are, somewhere in it. */
export const isOpen = (codec: Schema.Top): boolean => {
  const seen = new Set<SchemaAST.AST>()
  const open = (ast: SchemaAST.AST): boolean => {
    if (seen.has(ast)) return false
    seen.add(ast)
    switch (ast._tag) {
      case "Any":
      case "Unknown":
      case "ObjectKeyword":
      case "Declaration":
        return true
      case "Arrays":
        return ast.elements.some(open) || ast.rest.some(open)
      case "Objects":
        return ast.propertySignatures.some((p) => open(p.type)) || ast.indexSignatures.some((i) => open(i.type))
      case "Union":
        return ast.types.some(open)
      case "Suspend":
        return open(ast.thunk())
      default:
        return false
    }
  }
  return open(SchemaAST.toEncoded(codec.ast))
}

/** The value where it has a text as JSON, else why not (a BigInt, a circle, a `toJSON` that throws). */
export const checked = (value: unknown): Result.Result<unknown, ReadonlyArray<Issue>> => {
  try {
    JSON.stringify(value)
    return Result.succeed(value)
  } catch (error) {
    const [why] = (error instanceof Error ? error.message : String(error)).split("\n")
    return Result.fail([{ path: "", message: `expected JSON: ${why}` }])
  }
}
