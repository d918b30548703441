/**
 * Single-key shortcuts: `/` to the search box, `p` or space to pause, `?` for help. They can be switched off, and never
 * act while something is being typed or a control would take the key itself.
 */
import { togglePause } from "./pause.ts"
import { recall, remember } from "./session.ts"
import { makeStore } from "./store.ts"

const name = "loglytics.shortcuts"

export const shortcutsOn = makeStore(true)

export const setShortcuts = (on: boolean): void => {
  remember(name, on ? null : "off")
  shortcutsOn.set(on)
}

export const searchBoxId = "log-search"
export const helpOpen = makeStore(false)

const typing = "input, textarea, select, [contenteditable]"
const takesSpace = `${typing}, button, a[href], summary, [role=button]`

const onKey = (event: KeyboardEvent): void => {
  if (!shortcutsOn.get() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
  const target = event.target instanceof Element ? event.target : null
  const on = (controls: string): boolean => target !== null && target.closest(controls) !== null
  if (on(typing) || document.querySelector("dialog[open]") !== null) return
  const act = (): (() => void) | null => {
    if (event.key === "/") return () => document.getElementById(searchBoxId)?.focus()
    if (event.key === "p") return togglePause
    if (event.key === " " && !on(takesSpace)) return togglePause
    return event.key === "?" ? () => helpOpen.set(true) : null
  }
  const action = act()
  if (action === null) return
  event.preventDefault()
  action()
}

/** Listens for the keys; call once. */
export const beginShortcuts = (): void => {
  shortcutsOn.set(recall(name) !== "off")
  addEventListener("keydown", onKey)
}
