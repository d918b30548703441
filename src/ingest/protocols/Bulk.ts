/**
 * Reads the body of Elasticsearch's `_bulk`: lines in pairs, an action and a document. The actions are read first, because a
 * wrong one makes all that follows it meaningless; documents are read one by one, and a broken one fails alone.
 */
import type { SentEvent } from "../../domain/SentEvent.ts"
import { type Refusal, tooMany } from "../Protocol.ts"
import { eachLine } from "./Lines.ts"
import { lineMax } from "./ndjson.ts"
import { notAnObject, tooLong } from "./Rejections.ts"
import { isObject } from "./Values.ts"

/** One answer's item: the text it begins with, up to its status, and what is wrong with it. */
export interface Item {
  readonly head: string
  fault?: { readonly status: number; readonly type: string; readonly reason: string }
}

interface Action {
  readonly verb: "create" | "index" | "update" | "delete"
  readonly index: string
  readonly head: string
}

const verbs = ["create", "index", "update", "delete"] as const
/** Items of one request: each has its place in the answer. */
const itemsMax = 250_000
/** Actions are the same on most lines; this many different ones are remembered while a body is read. */
const seenMax = 1_000

const actionOf = (text: string, index: string): Action | string => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  const verb = verbs.find((one) => isObject(value) && Object.hasOwn(value, one))
  if (verb === undefined || !isObject(value)) {
    return `expected an action (create, index), got ${JSON.stringify(text.slice(0, 40).toWellFormed())}`
  }
  const meta = isObject(value[verb]) ? value[verb] : {}
  const named = typeof meta["_index"] === "string" ? meta["_index"].slice(0, 255) : index
  const id = typeof meta["_id"] === "string" ? `"_id":${JSON.stringify(meta["_id"].slice(0, 512))},` : ""
  return { verb, index: named, head: `{"${verb}":{"_index":${JSON.stringify(named)},${id}` }
}

const notDone = (verb: string) => ({
  status: 400,
  type: "illegal_argument_exception",
  reason: `expected create or index, got ${verb}: logs are only added`
})

const broken = (reason: string) => ({ status: 400, type: "document_parsing_exception", reason })

/** What a bulk request holds: an item for each action, filled in while the events are walked. */
export interface BulkRead {
  readonly items: ReadonlyArray<Item>
  readonly events: Iterable<SentEvent | undefined>
}

export const readBulk = (bytes: Buffer, index: string): BulkRead | Refusal => {
  const items: Array<Item> = []
  const actions: Array<Action> = []
  const seen = new Map<string, Action>()
  let number = 0
  let document = false
  for (const [start, end] of eachLine(bytes)) {
    number++
    if (document) {
      document = false
      continue
    }
    if (actions.length >= itemsMax) return tooMany(itemsMax)
    if (end - start > lineMax) return { reason: "malformed", message: `line ${number}: ${tooLong(lineMax)}` }
    const text = bytes.toString("utf8", start, end)
    const action = seen.get(text) ?? actionOf(text, index)
    if (typeof action === "string") return { reason: "malformed", message: `line ${number}: ${action}` }
    if (seen.size < seenMax) seen.set(text, action)
    actions.push(action)
    items.push(
      action.verb === "update" || action.verb === "delete"
        ? { head: action.head, fault: notDone(action.verb) }
        : { head: action.head }
    )
    document = action.verb !== "delete"
  }
  if (document) return { reason: "malformed", message: `line ${number}: expected a document behind it, got the end` }
  return { items, events: documents(bytes, actions, items) }
}

const documents = function* (
  bytes: Buffer,
  actions: ReadonlyArray<Action>,
  items: ReadonlyArray<Item>
): Generator<SentEvent | undefined> {
  let at = -1
  let document = false
  for (const [start, end] of eachLine(bytes)) {
    const action: Action | undefined = document ? actions[at] : actions[++at]
    if (!document) {
      document = action?.verb !== "delete"
      continue
    }
    document = false
    const item = items[at]
    if (action === undefined || item === undefined || item.fault !== undefined) continue
    const line = bytes.toString("utf8", start, end)
    const fault = end - start > lineMax ? tooLong(lineMax) : notAnObject(line)
    if (fault !== undefined) item.fault = broken(fault)
    yield fault === undefined ? { line, attributes: action.index === "" ? {} : { _index: action.index } } : undefined
  }
}
