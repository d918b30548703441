/** Asks the routes in their order which of them want the alert: the first that matches, and those after it while they say so. */
import { matches } from "../../domain/Matcher.ts"
import type { Route } from "../../domain/Route.ts"
import { pass, type Stage, subjectOf } from "./Stage.ts"

export const route: Stage = {
  name: "route",
  run: (passing) => {
    const subject = subjectOf(passing.alert)
    const routes: Array<Route> = []
    for (const one of passing.scene.routes) {
      if (!matches(one.match, subject)) continue
      routes.push(one)
      if (one.continue !== true) break
    }
    const names = routes.map(({ name }) => name).join(", ")
    const none = passing.scene.routes.length === 0 ? "no route is configured" : "no route matches"
    return pass({ ...passing, routes }, routes.length === 0 ? `${none}: all enabled channels are told` : `by ${names}`)
  }
}
