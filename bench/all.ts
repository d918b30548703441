/** Every bench, in the order in which they are listed. */
import { alerts } from "./alerts.ts"
import type { Bench } from "./Bench.ts"
import { ingest } from "./ingest.ts"
import { throughput } from "./throughput.ts"

export const benches: ReadonlyArray<Bench> = [throughput, ingest, alerts]
