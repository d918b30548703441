/**
 * The log with its search: what is typed narrows the live tail after a moment, Enter also searches the stored lines and
 * puts the query into the address, the chips choose levels. The list itself is LogList's.
 */
import { useNavigate, useSearch } from "@tanstack/react-router"
import { type KeyboardEvent, useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react"
import type { Level } from "../api.ts"
import { useProject, useStats } from "../data.ts"
import { count } from "../format.ts"
import type { Lines } from "../lines.ts"
import { useLog } from "../log.ts"
import { compose, levels, levelsOf, withTerm, wordsOf } from "../query.ts"
import { searchBoxId } from "../shortcuts.ts"
import { Close, Search, Warn } from "./Icons.tsx"
import { LogList } from "./LogList.tsx"
import { Panel } from "./Panel.tsx"

/** How long typing must rest before the tail follows it. */
const restMs = 300

interface SearchBoxProps {
  readonly draft: string
  readonly bad: boolean
  readonly change: (draft: string) => void
  readonly submit: (query: string) => void
}

function SearchBox({ bad, change, draft, submit }: SearchBoxProps) {
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.key !== "Escape") return
    event.preventDefault()
    if (draft === "") event.currentTarget.blur()
    else submit("")
  }
  return (
    <form
      role="search"
      className="search"
      onSubmit={(event) => {
        event.preventDefault()
        submit(draft.trim())
      }}
    >
      <Search />
      <input
        id={searchBoxId}
        className="input mono"
        type="text"
        enterKeyHint="search"
        value={draft}
        onChange={(event) => change(event.target.value)}
        onKeyDown={onKeyDown}
        placeholder='timeout level:>=warn service:api "exact phrase"'
        aria-label="Search logs"
        aria-invalid={bad}
        aria-describedby="log-problem"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
      />
      {draft === "" ? (
        <kbd aria-hidden="true">/</kbd>
      ) : (
        <button type="button" className="icon-button" aria-label="Clear the search" onClick={() => submit("")}>
          <Close />
        </button>
      )}
    </form>
  )
}

function LevelChips({
  chosen,
  toggle
}: {
  readonly chosen: ReadonlyArray<Level>
  readonly toggle: (level: Level) => void
}) {
  const byLevel = useStats().data?.lastHour.byLevel
  return (
    <div className="chips" role="group" aria-label="Levels to show; none chosen means all">
      {levels.toReversed().map((level) => (
        <button
          key={level}
          type="button"
          className={`chip level is-${level}`}
          aria-pressed={chosen.includes(level)}
          onClick={() => toggle(level)}
          title={byLevel === undefined ? level : `${level}: ${count(byLevel[level] ?? 0)} in the last hour`}
        >
          {level}
        </button>
      ))}
    </div>
  )
}

/** Lines that came in the last second. */
function Rate({ lines }: { readonly lines: Lines }) {
  const received = useCallback(() => lines.get().received, [lines])
  const [rate, setRate] = useState(0)
  useEffect(() => {
    let before = received()
    const timer = setInterval(() => {
      const now = received()
      setRate(now - before)
      before = now
    }, 1_000)
    return () => clearInterval(timer)
  }, [received])
  const any = useSyncExternalStore(lines.subscribe, () => lines.get().received > 0)
  return any ? <>{count(rate)} lines/s</> : null
}

export function LogExplorer({ title }: { readonly title: string }) {
  const project = useProject()
  const search = useSearch({ from: "__root__" })
  const navigate = useNavigate()
  const q = search.q ?? ""
  const chosen = useMemo(() => levelsOf(search.level), [search.level])
  const [draft, setDraft] = useState(q)
  const [typed, setTyped] = useState(q)
  const [shown, setShown] = useState(q)
  if (shown !== q) {
    // The address changed by itself: back, forward, a link.
    setShown(q)
    setDraft(q)
    setTyped(q)
  }
  useEffect(() => {
    const timer = setTimeout(() => setTyped(draft.trim()), restMs)
    return () => clearTimeout(timer)
  }, [draft])

  const submit = useCallback(
    (query: string) => {
      setDraft(query)
      setTyped(query)
      void navigate({ to: ".", search: (was) => ({ ...was, q: query === "" ? undefined : query }) })
    },
    [navigate]
  )
  const toggle = (level: Level): void => {
    const next = chosen.includes(level) ? chosen.filter((other) => other !== level) : [...chosen, level]
    void navigate({ to: ".", search: (was) => ({ ...was, level: levelsOf(next.join(",")).join(",") || undefined }) })
  }
  const query = compose(typed, chosen)
  const log = useLog(project, query, typed === q)
  const words = useMemo(() => wordsOf(typed), [typed])
  const narrow = useCallback((field: string, value: string) => submit(withTerm(q, field, value)), [q, submit])

  return (
    <Panel
      title={title}
      className="explorer"
      note={<Rate lines={log.lines} />}
      tools={<LevelChips chosen={chosen} toggle={toggle} />}
    >
      <SearchBox draft={draft} bad={log.problem !== null} change={setDraft} submit={submit} />
      <p id="log-problem" className="field-problem" role="status" hidden={log.problem === null}>
        <Warn /> {log.problem}
      </p>
      <LogList key={`${project}\n${query}`} log={log} words={words} narrowed={query !== ""} narrow={narrow} />
    </Panel>
  )
}
