/**
 * The entry of a job in a work stream, as scripts/entries.lua describes it: named fields, or a plain job's one field `job`.
 * Promises that an entry of which nobody knows who wrote it reads as empty fields, never as an error. Pure.
 */

export interface JobEntry {
  readonly id: string
  readonly task: string
  readonly payload: string
  /** JSON of `Meta`, or "". */
  readonly meta: string
}

/** Reads the names and values of an entry; what is missing is "", a missing payload "null". */
export const read = (flat: ReadonlyArray<string>): JobEntry => {
  const text = flat[1] ?? ""
  if (flat[0] === "job") {
    const first = text.indexOf(" ", 1)
    const second = text.indexOf(" ", first + 1)
    if (first > 0 && second > first) {
      return {
        id: text.slice(0, first),
        task: text.slice(first + 1, second),
        payload: text.slice(second + 1),
        meta: ""
      }
    }
  }
  // The order in which the scripts write them; looked up by name only where it differs.
  if (flat[0] === "id" && flat[2] === "task" && flat[4] === "payload") {
    return { id: text, task: flat[3]!, payload: flat[5]!, meta: flat[7] ?? "" }
  }
  const byName = new Map<string, string>()
  for (let i = 0; i + 1 < flat.length; i += 2) byName.set(flat[i]!, flat[i + 1]!)
  return {
    id: byName.get("id") ?? "",
    task: byName.get("task") ?? "",
    payload: byName.get("payload") ?? "null",
    meta: byName.get("meta") ?? ""
  }
}
