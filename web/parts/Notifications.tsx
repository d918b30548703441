/** The drawer behind the bell: the last notifications, newest first, to be marked as read. */
import { useQueryClient } from "@tanstack/react-query"
import type { Notification } from "../api.ts"
import { markRead, useNotifications, useNow, useProject } from "../data.ts"
import { age, since } from "../format.ts"
import { Drawer } from "./Drawer.tsx"
import { Cross, Info, Warn } from "./Icons.tsx"
import { Empty, Loaded } from "./Panel.tsx"

const signs = { critical: Cross, warning: Warn, info: Info } as const

function Item({ item, now, read }: { readonly item: Notification; readonly now: number; readonly read: () => void }) {
  const Sign = signs[item.severity] ?? Info
  return (
    <li className={`notification is-${item.severity} ${item.readAt === null ? "is-unread" : ""}`}>
      <span className="notification-sign" title={item.severity}>
        <Sign />
        <span className="visually-hidden">{item.severity}</span>
      </span>
      <div>
        <h3>{item.title}</h3>
        <p>{item.body}</p>
        <p className="muted">
          <time dateTime={item.createdAt} title={item.createdAt}>
            {age(since(item.createdAt, now))} ago
          </time>
          {item.readAt === null ? (
            <button type="button" className="link" onClick={read}>
              Mark as read
            </button>
          ) : null}
        </p>
      </div>
    </li>
  )
}

export function NotificationDrawer({ close }: { readonly close: () => void }) {
  const client = useQueryClient()
  const project = useProject()
  const asked = useNotifications()
  const now = useNow(10_000)
  const unread = (asked.data ?? []).filter(({ readAt }) => readAt === null).map(({ id }) => id)
  const read = (ids: ReadonlyArray<string>): void => void markRead(client, project, ids)
  const tools =
    unread.length === 0 ? null : (
      <button type="button" className="button small" onClick={() => read(unread)}>
        Mark all as read
      </button>
    )
  return (
    <Drawer title="Notifications" kind="drawer" close={close} tools={tools}>
      <Loaded asked={asked} rows={5}>
        {(items) =>
          items.length === 0 ? (
            <Empty title="Nothing to tell">
              <p className="muted">When an alert fires or ends, it is told here.</p>
            </Empty>
          ) : (
            <ul className="notifications">
              {items.map((item) => (
                <Item key={item.id} item={item} now={now} read={() => read([item.id])} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Drawer>
  )
}
