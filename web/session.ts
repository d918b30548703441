/**
 * Who is signed in, as an API key, and what this browser prefers. A key arrives in the URL's fragment (`#key=lg_…`,
 * which no server ever sees) or by typing, is kept in localStorage, and the fragment is wiped from the address.
 */
import { makeStore } from "./store.ts"

export interface Session {
  readonly key: string | null
  /** Why the last key was put aside, in words for the sign-in screen. */
  readonly refused: string | null
}

const keyName = "loglytics.key"

/** Reads a preference; a browser that forbids storage has none. */
export const recall = (name: string): string | null => {
  try {
    return localStorage.getItem(name)
  } catch {
    return null
  }
}

export const remember = (name: string, value: string | null): void => {
  try {
    if (value === null) localStorage.removeItem(name)
    else localStorage.setItem(name, value)
  } catch {
    // Private windows may forbid storage: the preference then lasts as long as the page.
  }
}

export const session = makeStore<Session>({ key: null, refused: null })

export const signIn = (key: string): void => {
  remember(keyName, key)
  session.set({ key, refused: null })
}

export const signOut = (refused: string | null): void => {
  remember(keyName, null)
  session.set({ key: null, refused })
}

/** The key of a fragment such as `#key=lg_abc`, else null. */
export const keyOfFragment = (fragment: string): string | null => {
  const key = new URLSearchParams(fragment.replace(/^#/u, "")).get("key")?.trim()
  return key === undefined || key === "" ? null : key
}

/** Takes the key from the address if there is one, else the one this browser kept. Call once before the first render. */
export const beginSession = (): void => {
  const take = (): boolean => {
    const key = keyOfFragment(location.hash)
    if (key === null) return false
    history.replaceState(history.state, "", location.pathname + location.search)
    signIn(key)
    return true
  }
  if (!take()) session.set({ key: recall(keyName), refused: null })
  addEventListener("hashchange", take)
}

export type Theme = "system" | "light" | "dark"
const themeName = "loglytics.theme"
const isTheme = (value: string | null): value is Theme => value === "system" || value === "light" || value === "dark"

export const theme = makeStore<Theme>("system")

export const setTheme = (next: Theme): void => {
  document.documentElement.dataset["theme"] = next
  remember(themeName, next)
  theme.set(next)
}

export const beginTheme = (): void => {
  const kept = recall(themeName)
  setTheme(isTheme(kept) ? kept : "system")
}
