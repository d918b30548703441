/**
 * What makes two failures the same: a short name for them. Promises that numbers, ids, quoted words and places in a file
 * don't tell failures apart, so that thousands of dead jobs fall into a few groups. Pure; computed when it is looked at.
 */
import { createHash } from "node:crypto"
import type { Failure } from "./Engine.ts"

/** Tags of jobs that took their worker or thread with them: what they have in common is the payload. */
const crashes: ReadonlySet<string> = new Set(["WorkerLost", "ThreadCrashed"])
const messageMax = 200
const length = 12

/** A message without what differs from job to job. */
export const normalise = (message: string): string =>
  message
    .replaceAll(/"[^"]*"|'[^']*'|`[^`]*`/gu, '""')
    .replaceAll(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/giu, "#")
    .replaceAll(/\b(?=\w*\d)[\w-]*\w\b|\d+/gu, "#")
    .replaceAll(/\s+/gu, " ")
    .trim()
    .slice(0, messageMax)

/** The first place of a stack: function and file, without line and column. */
export const place = (stack: string): string => {
  const at = stack.split("\n").find((line) => line.trimStart().startsWith("at "))
  return at === undefined ? "" : at.trim().replaceAll(/(?::\d+)+\)?$/gu, "")
}

/** The fingerprint of a job's last failure: 12 hexadecimal digits. `payload` as encoded text. */
export const of = (task: string, error: Failure, payload: string): string => {
  const { _tag, message = "", stack } = error
  const what = crashes.has(_tag)
    ? ["crash", payload]
    : [_tag, normalise(message), typeof stack === "string" ? place(stack) : ""]
  return createHash("sha256")
    .update(JSON.stringify([task, ...what]))
    .digest("hex")
    .slice(0, length)
}
