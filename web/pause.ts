/**
 * Live or paused, for the whole page: by the reader's will, or by itself while the tab is hidden. Alerts and
 * notifications go on either way. After hiding, the log list stays where it was and offers what came meanwhile.
 */
import { makeStore } from "./store.ts"

export type Pause = "user" | "hidden" | null

export const pause = makeStore<Pause>(null)

/** Lines that have come but are not shown, for the pill in the bar and the tab's title. */
export const unseen = makeStore(0)

export const togglePause = (): void => pause.set(pause.get() === null ? "user" : null)

/** Follows the tab's visibility; call once. */
export const watchVisibility = (): void => {
  const look = (): void => {
    if (document.hidden && pause.get() === null) pause.set("hidden")
    if (!document.hidden && pause.get() === "hidden") pause.set(null)
  }
  document.addEventListener("visibilitychange", look)
  look()
}
