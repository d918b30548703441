/** The benches of the application (those of the engine are in `versus/`), in the order in which they are listed. */
import { accept } from "./accept.ts"
import { alerts } from "./alerts.ts"
import type { Bench } from "./Bench.ts"
import { ingest } from "./ingest.ts"
import { nab } from "./nab.ts"
import { rulesBench } from "./rules.ts"
import { search } from "./search.ts"
import { semantic } from "./semantic.ts"
import { sequences } from "./sequences.ts"
import { sustained } from "./sustained.ts"
import { templates } from "./templates.ts"

export const benches: ReadonlyArray<Bench> = [
  accept,
  ingest,
  sustained,
  alerts,
  rulesBench,
  search,
  semantic,
  templates,
  nab,
  sequences
]
