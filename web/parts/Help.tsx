/** The keys, the query language in five lines, and the switch that turns single keys off. */
import { helpOpen, setShortcuts, shortcutsOn } from "../shortcuts.ts"
import { useStore } from "../store.ts"
import { Drawer } from "./Drawer.tsx"

const keys = [
  ["/", "to the search box"],
  ["p or space", "pause or go on"],
  ["Esc", "clear the search, close what is open"],
  ["End", "in the log: follow the newest line"],
  ["?", "this help"]
] as const

const grammar = [
  ["timeout db", "both words in the message"],
  ['"connection reset"', "the phrase"],
  ["level:>=warn", "warn and worse; also > < <= and level:error"],
  ["service:api*", "the service, * for any end"],
  ["http.status:503", "an attribute; also >500, [400 TO 499], (404 OR 503)"],
  ["-health  ·  a OR b  ·  (…)", "without; either; grouping"]
] as const

function Pairs({ rows }: { readonly rows: ReadonlyArray<readonly [string, string]> }) {
  return (
    <dl className="pairs">
      {rows.map(([name, text]) => (
        <div key={name}>
          <dt>
            <code>{name}</code>
          </dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  )
}

export function Help() {
  const open = useStore(helpOpen)
  const on = useStore(shortcutsOn)
  if (!open) return null
  return (
    <Drawer title="Keys and search" kind="card" close={() => helpOpen.set(false)}>
      <div className="help">
        <h3>Keys</h3>
        <Pairs rows={keys} />
        <label className="check">
          <input type="checkbox" checked={on} onChange={(event) => setShortcuts(event.target.checked)} />
          Single-key shortcuts
        </label>
        <h3>Search</h3>
        <Pairs rows={grammar} />
      </div>
    </Drawer>
  )
}
