/** Every scenario, in the order of the table. */
import type { Scenario } from "../Scenario.ts"
import { bytes } from "./bytes.ts"
import { cancel, killed } from "./faults.ts"
import { script } from "./script.ts"
import { drained, enqueue, twoWorkers } from "./throughput.ts"
import { delayed, latency, priority } from "./times.ts"

export const allScenarios: ReadonlyArray<Scenario> = [
  drained,
  twoWorkers,
  enqueue,
  latency,
  priority,
  delayed,
  killed,
  bytes,
  cancel,
  script
]
