/**
 * All ways in: sources that connections may name, followers of what is on this host, and protocols that bodies are written
 * in. A new one is a file in sources/ or protocols/ and a line here.
 */
import type { Connection } from "../domain/Connection.ts"
import { makeLineDecoder } from "./protocols/ndjson.ts"
import type { PullSource } from "./Source.ts"
import { follow } from "./sources/file_tail.ts"
import { http_pull } from "./sources/http_pull.ts"

export const sources: Readonly<Record<Connection["kind"], PullSource>> = { http_pull }
export const followers = { file_tail: follow }
export const protocols = { ndjson: makeLineDecoder }
