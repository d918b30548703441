/**
 * The pages by address, and what of their state the address holds: project, query and levels, as plain words that can be
 * read and shared. A page that throws, or is not there, still has the bar above it.
 */
import {
  createRootRoute,
  createRoute,
  createRouter,
  parseSearchWith,
  stringifySearchWith
} from "@tanstack/react-router"
import { LogsPage } from "./pages/Logs.tsx"
import { OverviewPage } from "./pages/Overview.tsx"
import { Crashed, NotFound } from "./parts/Fallbacks.tsx"
import { Gate } from "./parts/Gate.tsx"

/** State that every page keeps in its address. */
export interface Search {
  readonly project?: string | undefined
  readonly q?: string | undefined
  /** Levels joined by commas; absent means all. */
  readonly level?: string | undefined
}

const word = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

const rootRoute = createRootRoute({
  component: Gate,
  notFoundComponent: NotFound,
  errorComponent: Crashed,
  validateSearch: (search: Record<string, unknown>): Search => ({
    project: word(search["project"]),
    q: word(search["q"]),
    level: word(search["level"])
  })
})

const overview = createRoute({ getParentRoute: () => rootRoute, path: "/", component: OverviewPage })
const logs = createRoute({ getParentRoute: () => rootRoute, path: "/logs", component: LogsPage })

export const router = createRouter({
  routeTree: rootRoute.addChildren([overview, logs]),
  parseSearch: parseSearchWith((text) => text),
  stringifySearch: stringifySearchWith(String),
  defaultErrorComponent: Crashed
})

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router
  }
}
