/** Starts the dashboard: preferences and key first, so that the first picture is already the right one. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query"
import { RouterProvider } from "@tanstack/react-router"
import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { ApiError } from "./api.ts"
import { watchVisibility } from "./pause.ts"
import { router } from "./router.tsx"
import { beginSession, beginTheme } from "./session.ts"
import { beginShortcuts } from "./shortcuts.ts"
import "uplot/dist/uPlot.min.css"
import "./styles/tokens.css"
import "./styles/base.css"
import "./styles/shell.css"
import "./styles/parts.css"
import "./styles/logs.css"

beginTheme()
beginSession()
beginShortcuts()
watchVisibility()

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // An answer that says no will say no again; only a missing answer is worth asking for twice.
      retry: (failures, error) =>
        failures < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      retryDelay: (attempt) => Math.min(1_000 * 2 ** attempt, 10_000),
      refetchOnWindowFocus: true,
      staleTime: 1_000
    }
  }
})

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>
)
