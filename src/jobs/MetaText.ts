/**
 * The meta of a job from its text, of which nobody knows who wrote it. Promises that what is there has the shape that `Meta`
 * says: a field that has not is left out, so that a strange entry can neither stop a worker nor hide others. Pure.
 */
import { queues } from "./JobQueue.ts"
import type { Meta } from "./Plan.ts"

type Fields = Readonly<Record<string, unknown>>

const isText = (u: unknown): boolean => typeof u === "string"
const isNumber = (u: unknown): boolean => typeof u === "number"
const isObject = (u: unknown): u is Fields => typeof u === "object" && u !== null && !Array.isArray(u)
const isList =
  (of: (u: unknown) => boolean) =>
  (u: unknown): boolean =>
    Array.isArray(u) && u.every(of)

/** True for what may be added to a queue: its id, task and queue are such. */
export const isEntry = (u: unknown): boolean =>
  isObject(u) && isText(u["id"]) && isText(u["task"]) && queues.some((queue) => queue === u["queue"])

/** True for a list of jobs to be started. */
export const areEntries: (u: unknown) => boolean = isList(isEntry)

const isFailed = (u: unknown): boolean =>
  Array.isArray(u) && isNumber(u[0]) && isNumber(u[1]) && isText(u[2]) && isText(u[3])
const isLoss = (u: unknown): boolean => Array.isArray(u) && isText(u[0]) && isNumber(u[1])

const shapes: { readonly [K in keyof Meta]-?: (u: unknown) => boolean } = {
  r: isText,
  e: areEntries,
  b: areEntries,
  f: isNumber,
  a: isNumber,
  s: isNumber,
  t: isNumber,
  x: isNumber,
  g: isNumber,
  q: isText,
  u: isText,
  l: isObject,
  h: isList(isFailed),
  c: isList(isLoss),
  w: isText,
  k: isText,
  p: isText,
  i: isNumber,
  n: isNumber,
  d: isNumber
}

/** The meta that a text holds; undefined for "" and for what is no object. */
export const read = (text: string): Meta | undefined => {
  if (text === "") return undefined
  let meta: unknown
  try {
    meta = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(meta)) return undefined
  for (const name of Object.keys(meta)) {
    if (!Object.hasOwn(shapes, name) || !shapes[name as keyof Meta](meta[name])) {
      return Object.fromEntries(
        Object.entries(meta).filter(([key, u]) => Object.hasOwn(shapes, key) && shapes[key as keyof Meta](u))
      )
    }
  }
  return meta
}
