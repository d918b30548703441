/** Small helpers of the shapes of JSON lines (JsonShapes.ts, CloudShapes.ts): fields are renamed, lifted and left out. */
import type { Fields } from "./Fields.ts"
import { putEndpoint } from "./Scan.ts"

export type Out = Record<string, unknown>
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
export const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined

export const without = (fields: Fields, ...keys: ReadonlyArray<string>): Out => {
  const rest: Out = { ...fields }
  for (const key of keys) delete rest[key]
  return rest
}
export const put = (out: Out, name: string, value: unknown): void => {
  if (value !== undefined && value !== null && value !== "") out[name] = value
}
export const client = (out: Out, value: unknown): void => {
  if (typeof value === "string" && value !== "") putEndpoint(out, "client", value)
}
