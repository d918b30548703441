/**
 * Reads large bodies beside the main thread, which would stand still for as long as a JSON text of 64 MiB takes to parse.
 * Promises one answer to each question, in their order; keeps a body until it is told to close it.
 */
import { parentPort } from "node:worker_threads"
import { doorOf } from "../../ingest/all.ts"
import { type Asked, isSent, type Sent } from "../../ingest/Protocol.ts"
import { slices } from "../../ingest/Slices.ts"
import type { Answer, Ask, Question } from "./Messages.ts"

interface Reading {
  readonly sent: Sent
  readonly next: () => ReadonlyArray<string> | undefined
}

const readings = new Map<number, Reading>()

const open = (id: number, { bytes, head, max, now, skip }: Extract<Question, { kind: "open" }>): Answer => {
  const asked: Asked = { ...head, query: new URLSearchParams(head.query) }
  const body = { bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), now, max }
  const sent = doorOf(asked)?.read?.(body)
  if (sent === undefined) {
    return { kind: "refused", refusal: { reason: "malformed", message: "expected a body to read, got none" } }
  }
  if (!isSent(sent)) return { kind: "refused", refusal: sent }
  readings.set(id, { sent, next: slices(sent, skip) })
  return { kind: "opened", parts: sent.acceptPart !== undefined }
}

const answer = ({ question, reading: id }: Ask): Answer => {
  if (question.kind === "open") return open(id, question)
  const reading = readings.get(id)
  switch (question.kind) {
    case "next":
      return { kind: "lines", lines: reading?.next() }
    case "accept":
      return { kind: "reply", reply: reading?.sent.accept() }
    case "accept part":
      return { kind: "reply", reply: reading?.sent.acceptPart?.(question.taken, question.why) }
    case "close":
      readings.delete(id)
      return { kind: "reply", reply: undefined }
  }
}

parentPort?.on("message", (ask: Ask) => parentPort?.postMessage(answer(ask), []))
