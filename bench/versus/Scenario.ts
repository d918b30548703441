/** A scenario: one or more rows of the table, from one run in which all contestants take part. */
import type { ScenarioName } from "./Peer.ts"
import type { Ring } from "./Ring.ts"
import type { Row } from "./Row.ts"

export interface Scenario {
  readonly name: ScenarioName
  readonly about: string
  /** `peers` are those that can, ourselves first. */
  readonly run: (ring: Ring, peers: ReadonlyArray<string>) => Promise<ReadonlyArray<Row>>
}
