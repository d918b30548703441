/** What stands where a page should: it crashed, it is not there, or the server is away. */
import { useQueryClient } from "@tanstack/react-query"
import { type ErrorComponentProps, Link } from "@tanstack/react-router"
import { trouble } from "../api.ts"
import { clock } from "../format.ts"
import { useStore } from "../store.ts"
import { Warn } from "./Icons.tsx"
import { Empty } from "./Panel.tsx"

export function Crashed({ error, reset }: ErrorComponentProps) {
  return (
    <main className="page centred" role="alert">
      <Empty title="This page failed to draw">
        <p className="muted">{error instanceof Error ? error.message : String(error)}</p>
        <p className="row">
          <button type="button" className="button" onClick={reset}>
            Try again
          </button>
          <button type="button" className="button" onClick={() => location.assign("/")}>
            Back to the overview
          </button>
        </p>
      </Empty>
    </main>
  )
}

export function NotFound() {
  return (
    <main className="page centred">
      <Empty title="There is no page at this address">
        <p>
          <Link to="/" className="button">
            To the overview
          </Link>
        </p>
      </Empty>
    </main>
  )
}

/** Says since when the server is silent; what was loaded stays on the page, and every question goes on being asked. */
export function AwayBanner({ retryLive }: { readonly retryLive?: () => void }) {
  const now = useStore(trouble)
  const client = useQueryClient()
  if (now === null) return null
  const retry = (): void => {
    retryLive?.()
    void client.invalidateQueries()
  }
  return (
    <div className="banner" role="alert">
      <Warn />
      <span>
        {now.words === null ? (
          <>
            No answer from <strong>{location.host}</strong>
          </>
        ) : (
          now.words
        )}{" "}
        – since {clock(now.since)}, retrying. What you see is from before.
      </span>
      <button type="button" className="button small" onClick={retry}>
        Retry now
      </button>
    </div>
  )
}
