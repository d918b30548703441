/** Says with which others an alert is told: those on the same route with the same values of what the route groups by. */
import type { Placement } from "../../domain/Incident.ts"
import { defaultPolicy, defaultRoute, policyOf, type RouteId, type RouteSpec } from "../../domain/Route.ts"
import { type Judged, pass, type Stage, subjectOf } from "./Stage.ts"

const valueMax = 200

/** The values by name. `...` stands for all that the alert has: every alert with others is told by itself. */
const valuesOf = (alert: Judged, names: ReadonlyArray<string>): Readonly<Record<string, string>> => {
  const subject = subjectOf(alert)
  const wanted = names.includes("...") ? Object.keys(subject).toSorted() : names
  return Object.fromEntries(wanted.map((name) => [name, (subject[name] ?? "").slice(0, valueMax)]))
}

/** By default each group of each rule is told by itself. Two rules may have the same name, so its id tells them apart. */
const byRule = (alert: Judged): Placement => {
  const group = { rule: alert.ruleName, ...alert.group }
  return {
    route: defaultRoute,
    policy: defaultPolicy,
    key: JSON.stringify([alert.ruleId, Object.entries(alert.group).toSorted(([a], [b]) => (a < b ? -1 : 1))]),
    group
  }
}

const placement = (alert: Judged, route: RouteSpec & { readonly id: RouteId }): Placement => {
  const { id } = route
  const policy = policyOf(route)
  if (route.groupBy === undefined) return { ...byRule(alert), route: id, policy }
  const group = valuesOf(alert, route.groupBy)
  return { route: id, policy, key: JSON.stringify(Object.entries(group)), group }
}

export const group: Stage = {
  name: "group",
  run: (passing) => {
    const { alert, routes } = passing
    const placements = routes.length === 0 ? [byRule(alert)] : routes.map((one) => placement(alert, one))
    const words = placements.map((one) =>
      Object.entries(one.group)
        .map(([name, value]) => `${name}=${value}`)
        .join(", ")
    )
    return pass({ ...passing, placements }, `together with ${words.map((word) => word || "all").join("; ")}`)
  }
}
