/**
 * The virtual list of log lines. It stays with the newest line until the reader scrolls up, opens a line, pauses, or the
 * tab was hidden; then it stands still and offers what came since. Only the rows in sight are in the document.
 */
import { useCallback, useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react"
import { Virtualizer } from "virtua"
import { useProject } from "../data.ts"
import { count, day, moment } from "../format.ts"
import type { Line, View } from "../lines.ts"
import type { Log } from "../log.ts"
import { pause, unseen } from "../pause.ts"
import { session } from "../session.ts"
import { useStore } from "../store.ts"
import { Down } from "./Icons.tsx"
import { LogRow } from "./LogRow.tsx"
import { Command, Empty, Skeleton } from "./Panel.tsx"

const rowHeight = 22
const headHeight = 34
/** How near to the end counts as at the end, px. */
const nearEnd = 24
const upKeys = new Set(["PageUp", "ArrowUp", "Home"])
const downKeys = new Set(["PageDown", "ArrowDown"])

interface LogListProps {
  readonly log: Log
  readonly words: ReadonlyArray<string>
  /** A query is set, so that emptiness means "no match" rather than "no logs". */
  readonly narrowed: boolean
  readonly narrow: (field: string, value: string) => void
}

/** What is shown and whether it moves: while held, live lines stay those of the moment it began. */
const useHeld = (view: View, frozen: boolean): View => {
  const [held, setHeld] = useState<View | null>(null)
  if (!frozen && held !== null) setHeld(null)
  if (frozen && (held === null || (!held.settled && view.settled))) setHeld(view)
  if (!frozen || held === null) return view
  return { ...held, history: view.history, shifted: view.shifted }
}

/** Following by the reader's own moves: up or a press on a line ends it, reaching the end begins it again. */
const useFollowing = (scroller: React.RefObject<HTMLDivElement | null>) => {
  const [following, setFollowing] = useState(true)
  useEffect(() => {
    const element = scroller.current
    if (element === null) return
    // What moves the list now, and whether towards the end; the list's own pinning is none of these.
    let dragging = false
    let touching = false
    let down = false
    const atEnd = (): boolean => element.scrollHeight - element.scrollTop - element.clientHeight <= nearEnd
    const go = (towardsEnd: boolean): void => {
      down = towardsEnd
      if (!down && element.scrollTop > 0) setFollowing(false)
    }
    const onKey = ({ key }: KeyboardEvent): void => {
      if (upKeys.has(key)) go(false)
      if (downKeys.has(key)) go(true)
      if (key === "End") setFollowing(true)
    }
    const onPress = ({ target }: Event): void => {
      dragging = true
      // A line that moved between press and release could not be clicked.
      if (target instanceof Element && target.closest(".line") !== null) setFollowing(false)
    }
    const onScroll = (): void => {
      if (dragging || touching) setFollowing(atEnd())
    }
    const onScrollEnd = (): void => {
      if ((down || touching) && atEnd()) setFollowing(true)
      touching = false
    }
    const signal = new AbortController()
    const on = { signal: signal.signal, passive: true }
    element.addEventListener("wheel", ({ deltaY }) => deltaY !== 0 && go(deltaY > 0), on)
    element.addEventListener("keydown", onKey, on)
    element.addEventListener("scroll", onScroll, on)
    element.addEventListener("scrollend", onScrollEnd, on)
    element.addEventListener("pointerdown", onPress, on)
    element.addEventListener("touchmove", () => (touching = true), on)
    addEventListener("pointerup", () => (dragging = false), on)
    addEventListener("pointercancel", () => (dragging = false), on)
    return () => signal.abort()
  }, [scroller])
  return [following, setFollowing] as const
}

const hasOtherDays = (rows: ReadonlyArray<Line>): boolean => {
  const today = day(Date.now())
  return [rows[0], rows.at(-1)].some(
    (line) => line !== undefined && "event" in line && day(moment(line.event.time) ?? 0) !== today
  )
}

export function LogList({ log, narrow, narrowed, words }: LogListProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const view = useSyncExternalStore(log.lines.subscribe, log.lines.get)
  const [following, setFollowing] = useFollowing(scroller)
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set())
  const why = useStore(pause)
  const frozen = !following || why !== null
  const shown = useHeld(view, frozen)
  const missed = frozen ? view.received - shown.received : 0
  const rows = shown.history.length === 0 ? shown.live : shown.history.concat(shown.live)

  const pin = useCallback(() => {
    const element = scroller.current
    if (element !== null && !frozen) element.scrollTop = element.scrollHeight
  }, [frozen])
  useLayoutEffect(pin, [pin, rows])

  // A tab that comes back stays where it was if there is something to catch up with.
  useEffect(() => {
    if (why === "hidden") setFollowing(false)
  }, [why, setFollowing])
  useEffect(() => {
    unseen.set(missed)
    return () => unseen.set(0)
  }, [missed])

  const toggle = useCallback(
    (key: number) => {
      setFollowing(false)
      setOpen((was) => {
        const next = new Set(was)
        if (!next.delete(key)) next.add(key)
        return next
      })
    },
    [setFollowing]
  )
  const dated = hasOtherDays(rows)
  return (
    <div className={`log ${dated ? "has-days" : ""}`}>
      <div
        ref={scroller}
        className="log-scroll"
        role="log"
        aria-live="off"
        aria-label={`Log lines, ${following ? "following the newest" : "standing still"}`}
        tabIndex={0}
      >
        {rows.length === 0 ? (
          <Nothing settled={view.settled && !log.loading} narrowed={narrowed} />
        ) : (
          <>
            <Head log={log} />
            <Virtualizer
              data={rows}
              scrollRef={scroller}
              startMargin={headHeight}
              itemSize={rowHeight}
              shift={shown.shifted}
              onResize={pin}
            >
              {(line) => (
                <LogRow
                  key={line.key}
                  line={line}
                  open={open.has(line.key)}
                  dated={dated}
                  words={words}
                  toggle={toggle}
                  narrow={narrow}
                />
              )}
            </Virtualizer>
          </>
        )}
      </div>
      {frozen && why !== "user" ? (
        <button type="button" className="newer" onClick={() => setFollowing(true)}>
          <Down />
          {missed > 0 ? `${count(missed)} new` : "Newest"}
        </button>
      ) : null}
    </div>
  )
}

function Head({ log }: { readonly log: Log }) {
  const text = {
    beginning: "The beginning of what is stored",
    full: "No more fit here: narrow the search for older lines"
  }
  return (
    <div className="log-head" style={{ height: headHeight }}>
      {log.ended === null ? (
        <button type="button" className="button small" disabled={log.loading} onClick={log.older}>
          {log.loading ? "Loading…" : "Load older lines"}
        </button>
      ) : (
        <span className="muted">{text[log.ended]}</span>
      )}
    </div>
  )
}

/** The command that sends a first line; `key` is what stands for the key. */
const sendCommand = (key: string, project: string): string =>
  [
    `curl ${location.origin}/v1/logs`,
    `-H 'Authorization: Bearer ${key}'`,
    `-H 'X-Loglytics-Project: ${project}'`,
    `--data-binary 'level=info service=hello msg="first line"'`
  ].join(" \\\n  ")

function Nothing({ narrowed, settled }: { readonly narrowed: boolean; readonly settled: boolean }) {
  const project = useProject()
  const { key } = useStore(session)
  if (!settled) return <Skeleton rows={8} />
  if (narrowed) {
    return (
      <Empty title="No line matches">
        <p className="muted">Lines that match appear here as they arrive. Esc in the search box shows all again.</p>
      </Empty>
    )
  }
  return (
    <Empty title="No logs in this project yet">
      <p className="muted">Send a line, or a whole file with --data-binary @app.log:</p>
      <Command shown={sendCommand("$KEY", project)} copied={sendCommand(key ?? "", project)} />
    </Empty>
  )
}
