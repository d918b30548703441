/** Rows of connections, and connections. */
import type { Connection } from "../domain/Connection.ts"
import type { ConnectionId, ProjectId } from "../domain/Ids.ts"
import { isoOrNull } from "./ids.ts"

export interface ConnectionRow {
  readonly id: ConnectionId
  readonly project: ProjectId
  readonly name: string
  readonly kind: Connection["kind"]
  readonly config: Connection["config"]
  readonly cursor: string | null
  readonly active: boolean
  readonly last_polled_at: Date | null
  readonly last_error: string | null
  readonly created_at: Date
  readonly secrets: Buffer | null
  readonly secret_key: string | null
  readonly secret_names: ReadonlyArray<string>
  readonly version: string
  readonly failures: number
  readonly next_poll_at: Date | null
  readonly lag_ms: number | null
  readonly lines: string
}

export const fromRow = (row: ConnectionRow): Connection => ({
  id: row.id,
  project: row.project,
  name: row.name,
  kind: row.kind,
  config: row.config,
  secretNames: row.secret_names,
  state: !row.active ? "paused" : row.failures > 0 ? "failing" : "ok",
  active: row.active,
  failures: row.failures,
  lastPolledAt: isoOrNull(row.last_polled_at),
  lastError: row.last_error,
  nextPollAt: isoOrNull(row.next_poll_at),
  lagMs: row.lag_ms,
  lines: Number(row.lines),
  createdAt: row.created_at.toISOString()
})
