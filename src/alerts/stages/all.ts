/** The stages in their order. To add one: a file beside this one and a line in the list. */
import type { Finding, Mute, Placement, Scene } from "../../domain/Incident.ts"
import type { Route } from "../../domain/Route.ts"
import { dedup } from "./dedup.ts"
import { group } from "./group.ts"
import { inhibit } from "./inhibit.ts"
import { route } from "./route.ts"
import { silence } from "./silence.ts"
import type { Judged, Passing, Stage } from "./Stage.ts"

/** A route says what it groups by, so routes are asked before groups are made. */
export const stages: ReadonlyArray<Stage> = [silence, inhibit, dedup, route, group]

export interface Way {
  /** False where a stage stopped the alert: it belongs nowhere. */
  readonly passed: boolean
  readonly mute: Mute | null
  readonly routes: ReadonlyArray<Route>
  readonly placements: ReadonlyArray<Placement>
  /** What each stage said, for whoever asks why. */
  readonly findings: ReadonlyArray<Finding>
}

/** The way of an alert through all stages. */
export const way = (alert: Judged, scene: Scene, now: number): Way => {
  let passing: Passing = { alert, scene, now, mute: null, routes: [], placements: [] }
  const findings: Array<Finding> = []
  for (const stage of stages) {
    const outcome = stage.run(passing)
    findings.push({ stage: stage.name, reason: outcome.reason })
    if (outcome._tag === "Stop") return { passed: false, mute: passing.mute, routes: [], placements: [], findings }
    passing = outcome.passing
  }
  const { mute, placements, routes } = passing
  return { passed: true, mute, routes, placements, findings }
}
