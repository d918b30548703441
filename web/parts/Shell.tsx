/** The global bar and what is always at work behind it: the live connection, alerts, notifications, the tab's title. */
import { useQueryClient } from "@tanstack/react-query"
import { Link, Outlet, useNavigate } from "@tanstack/react-router"
import { useEffect, useMemo, useState } from "react"
import { LiveContext, projectName, useAlerts, useConnection, useEverywhere, useLive } from "../data.ts"
import { useNotifications, useNow, useProject, useProjects } from "../data.ts"
import { count } from "../format.ts"
import { makeLive } from "../live.ts"
import { pause, togglePause, unseen } from "../pause.ts"
import { remember, setTheme, signOut, theme, type Theme } from "../session.ts"
import { helpOpen } from "../shortcuts.ts"
import { useStore } from "../store.ts"
import { AwayBanner } from "./Fallbacks.tsx"
import { Help } from "./Help.tsx"
import { Bell, Keyboard, Leave, Moon, Pause, Play, Screen, Sun } from "./Icons.tsx"
import { NotificationDrawer } from "./Notifications.tsx"

export function Shell({ apiKey }: { readonly apiKey: string }) {
  const live = useMemo(
    () => makeLive({ url: location.origin.replace(/^http/u, "ws") + "/live", key: apiKey }),
    [apiKey]
  )
  useEffect(() => {
    live.start()
    const back = (): void => live.retryNow()
    addEventListener("online", back)
    return () => {
      removeEventListener("online", back)
      live.stop()
    }
  }, [live])
  return (
    <LiveContext value={live}>
      <Frame />
    </LiveContext>
  )
}

function Frame() {
  const live = useLive()
  useEverywhere()
  useTitle()
  useResume()
  return (
    <>
      <a className="skip" href="#page">
        Skip to the page
      </a>
      <header className="bar">
        <Link to="/" className="brand" search={keepProject} aria-label="Loglytics, overview">
          <img src="/favicon.svg" width="24" height="24" alt="" />
          <span>Loglytics</span>
        </Link>
        <nav aria-label="Pages">
          <Link to="/" search={keepProject} activeOptions={{ exact: true, includeSearch: false }}>
            Overview
          </Link>
          <Link to="/logs" search={keepProject} activeOptions={{ includeSearch: false }}>
            Logs
          </Link>
        </nav>
        <div className="bar-tools">
          <ProjectPicker />
          <LiveButton />
          <ConnectionState />
          <BellButton />
          <ThemeButton />
          <button
            type="button"
            className="icon-button wide-only"
            aria-label="Keyboard shortcuts"
            onClick={() => helpOpen.set(true)}
          >
            <Keyboard />
          </button>
          <button
            type="button"
            className="icon-button"
            aria-label="Sign out"
            title="Sign out"
            onClick={() => signOut(null)}
          >
            <Leave />
          </button>
        </div>
      </header>
      <AwayBanner retryLive={live.retryNow} />
      <div id="page" tabIndex={-1}>
        <Outlet />
      </div>
      <Help />
    </>
  )
}

/** A change of page keeps the project and drops the query, which belongs to the page. */
const keepProject = (search: { readonly project?: string | undefined }) => ({ project: search.project })

/** The tab tells of what fires and of what came while it was hidden. */
function useTitle(): void {
  const firing = useAlerts().data?.filter(({ state }) => state === "firing").length ?? 0
  const missed = useStore(unseen)
  useEffect(() => {
    document.title = `${firing > 0 ? `▲ ${firing} ` : ""}${missed > 0 ? `(${count(missed)}) ` : ""}Loglytics`
  }, [firing, missed])
}

/** After a pause everything is asked anew at once. */
function useResume(): void {
  const client = useQueryClient()
  useEffect(() => pause.subscribe(() => void (pause.get() === null && client.invalidateQueries())), [client])
}

function ProjectPicker() {
  const project = useProject()
  const { data } = useProjects()
  const navigate = useNavigate()
  const known = data ?? []
  const pick = (id: string): void => {
    remember(projectName, id)
    void navigate({ to: ".", search: (search) => ({ ...search, project: id }) })
  }
  return (
    <label className="picker">
      <span className="visually-hidden">Project</span>
      <select className="select" value={project} onChange={(event) => pick(event.target.value)}>
        {known.some(({ id }) => id === project) ? null : <option value={project}>{project}</option>}
        {known.map(({ id, name }) => (
          <option key={id} value={id}>
            {name === "" ? id : name}
          </option>
        ))}
      </select>
    </label>
  )
}

function LiveButton() {
  const paused = useStore(pause) !== null
  const missed = useStore(unseen)
  return (
    <button
      type="button"
      className={`button live-button ${paused ? "is-paused" : ""}`}
      aria-pressed={paused}
      aria-label={paused ? `Paused, ${missed} new lines. Resume` : "Pause"}
      title={paused ? "Resume (p)" : "Pause (p)"}
      onClick={togglePause}
    >
      {paused ? <Play /> : <Pause />}
      <span className="wide-only">{paused ? "Paused" : "Pause"}</span>
      {paused && missed > 0 ? <span className="pill">{count(missed)} new</span> : null}
    </button>
  )
}

const phases = { connecting: "Connecting", ready: "Live", waiting: "Reconnecting", denied: "Refused" } as const

function ConnectionState() {
  const { phase, retryAt } = useConnection()
  const live = useLive()
  const now = useNow(1_000, true)
  const seconds = retryAt === null ? 0 : Math.max(0, Math.ceil((retryAt - now) / 1_000))
  const text = phase === "waiting" && seconds > 0 ? `Retry in ${seconds} s` : phases[phase]
  return (
    <button
      type="button"
      className={`connection is-${phase}`}
      onClick={live.retryNow}
      disabled={phase !== "waiting"}
      title={phase === "waiting" ? "Reconnect now" : `Live connection: ${text}`}
    >
      <i aria-hidden="true" />
      <span className="wide-only">{text}</span>
      <span className="visually-hidden" role="status">
        Live connection: {phases[phase]}
      </span>
    </button>
  )
}

function BellButton() {
  const [open, setOpen] = useState(false)
  const unread = useNotifications().data?.filter(({ readAt }) => readAt === null).length ?? 0
  const firing = useAlerts().data?.filter(({ state }) => state === "firing").length ?? 0
  return (
    <>
      <button
        type="button"
        className={`icon-button bell ${firing > 0 ? "is-firing" : ""}`}
        aria-label={`Notifications: ${unread} unread, ${firing} alerts firing`}
        aria-haspopup="dialog"
        onClick={() => setOpen(true)}
      >
        <Bell />
        {unread > 0 ? <span className="badge">{unread > 49 ? "50+" : unread}</span> : null}
      </button>
      {open ? <NotificationDrawer close={() => setOpen(false)} /> : null}
    </>
  )
}

const nextTheme: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" }

function ThemeButton() {
  const now = useStore(theme)
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={`Theme: ${now}. Change to ${nextTheme[now]}`}
      title={`Theme: ${now}`}
      onClick={() => setTheme(nextTheme[now])}
    >
      {now === "light" ? <Sun /> : now === "dark" ? <Moon /> : <Screen />}
    </button>
  )
}
