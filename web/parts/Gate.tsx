/** Who has no key sees the sign-in screen, whatever the address; who has one sees the page in its shell. */
import { useQueryClient } from "@tanstack/react-query"
import { type FormEvent, useEffect, useState } from "react"
import { ApiError, request } from "../api.ts"
import { session, signIn } from "../session.ts"
import { useStore } from "../store.ts"
import { AwayBanner } from "./Fallbacks.tsx"
import { Cross } from "./Icons.tsx"
import { Shell } from "./Shell.tsx"

export function Gate() {
  const { key, refused } = useStore(session)
  const client = useQueryClient()
  useEffect(() => {
    // What one key was shown is not for the next.
    if (key === null) client.clear()
  }, [client, key])
  return key === null ? <SignIn refused={refused} /> : <Shell key={key} apiKey={key} />
}

/** Tries the key on a real question; returns why it is no good, or null. */
const tryKey = async (key: string): Promise<string | null> => {
  if (key === "") return "Enter an API key."
  try {
    await request("/v1/projects", { key })
    return null
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.status === 401) return "The server does not accept this key."
    // A key that may not list projects is still a key.
    return error.status === 403 ? null : error.message
  }
}

function SignIn({ refused }: { readonly refused: string | null }) {
  const [problem, setProblem] = useState(refused)
  const [busy, setBusy] = useState(false)
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault()
    const typed = new FormData(event.currentTarget).get("key")
    const key = typeof typed === "string" ? typed.trim() : ""
    setBusy(true)
    const refusal = await tryKey(key)
    setBusy(false)
    if (refusal === null) signIn(key)
    else setProblem(refusal)
  }
  return (
    <>
      <AwayBanner />
      <main className="sign-in">
        <form className="panel" onSubmit={(event) => void submit(event)}>
          <img src="/favicon.svg" width="40" height="40" alt="" />
          <h1>Loglytics</h1>
          <label htmlFor="api-key">API key</label>
          <input
            id="api-key"
            name="key"
            type="password"
            className="input mono"
            placeholder="lg_…"
            autoComplete="current-password"
            spellCheck={false}
            autoFocus
            aria-describedby="key-help"
            aria-invalid={problem !== null}
          />
          {problem === null ? null : (
            <p className="field-problem" role="alert">
              <Cross /> {problem}
            </p>
          )}
          <button type="submit" className="button primary" disabled={busy}>
            {busy ? "Checking…" : "Sign in"}
          </button>
          <p id="key-help" className="muted">
            <code>npm start</code> prints a key and a link that signs in by itself. The key stays in this browser.
          </p>
        </form>
      </main>
    </>
  )
}
