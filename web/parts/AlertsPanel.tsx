/** Alerts that fire or are about to: which rule, by how much, since when, and the lines that made it so. */
import { type Alert, type AlertRule } from "../api.ts"
import { useAlerts, useNow, useProject, useRules } from "../data.ts"
import { age, count, since } from "../format.ts"
import { session } from "../session.ts"
import { useStore } from "../store.ts"
import { Chevron, Clock, Warn } from "./Icons.tsx"
import { Command, Empty, Loaded, Panel } from "./Panel.tsx"

/** The command that makes a first rule; `key` is what stands for the key. */
const ruleCommand = (key: string, project: string): string =>
  [
    `curl ${location.origin}/v1/rules`,
    `-H 'Authorization: Bearer ${key}'`,
    `-H 'X-Loglytics-Project: ${project}'`,
    `-H 'Content-Type: application/json'`,
    `-d '{"name":"Errors","type":"threshold","query":"level:>=error","window":"1 minute","threshold":5,"for":"0 seconds"}'`
  ].join(" \\\n  ")

function AlertItem({ alert, now }: { readonly alert: Alert; readonly now: number }) {
  const firing = alert.state === "firing"
  return (
    <li className={`alert is-${alert.state}`}>
      <details>
        <summary>
          <Chevron />
          <span className={`state is-${firing ? "bad" : "warn"}`}>
            {firing ? <Warn /> : <Clock />}
            {alert.state}
          </span>
          <span className="alert-name">{alert.ruleName}</span>
          <span className="alert-value" title={`measured ${alert.value}, fires from ${alert.threshold}`}>
            {count(alert.value)}
            <span className="muted"> / {count(alert.threshold)}</span>
          </span>
          <time className="muted" dateTime={alert.firedAt ?? alert.startedAt} title={alert.firedAt ?? alert.startedAt}>
            {age(since(alert.firedAt ?? alert.startedAt, now))}
          </time>
        </summary>
        <div className="alert-more">
          <p>{alert.reason}</p>
          {alert.samples.length === 0 ? null : (
            <ol className="samples" aria-label="Lines that matched last">
              {[...new Set(alert.samples)].map((sample) => (
                <li key={sample}>{sample}</li>
              ))}
            </ol>
          )}
        </div>
      </details>
    </li>
  )
}

function Quiet({ rules }: { readonly rules: ReadonlyArray<AlertRule> | undefined }) {
  const { key } = useStore(session)
  const project = useProject()
  if (rules !== undefined && rules.length === 0) {
    return (
      <Empty title="No rule watches these logs yet">
        <p className="muted">This one fires at five errors within a minute:</p>
        <Command shown={ruleCommand("$KEY", project)} copied={ruleCommand(key ?? "", project)} />
      </Empty>
    )
  }
  const watching = rules?.filter(({ enabled }) => enabled).length
  return (
    <Empty title="Nothing fires">
      {watching === undefined ? null : (
        <p className="muted">
          {watching} rule{watching === 1 ? "" : "s"} watching
        </p>
      )}
    </Empty>
  )
}

export function AlertsPanel() {
  const asked = useAlerts()
  const rules = useRules()
  const now = useNow()
  const firing = asked.data?.filter(({ state }) => state === "firing").length ?? 0
  return (
    <Panel
      title="Alerts"
      className="alerts-panel"
      note={firing > 0 ? <span className="state is-bad">{firing} firing</span> : undefined}
    >
      <Loaded asked={asked} rows={2}>
        {(alerts) =>
          alerts.length === 0 ? (
            <Quiet rules={rules.data} />
          ) : (
            <ul className="alerts">
              {alerts.map((alert) => (
                <AlertItem key={alert.id} alert={alert} now={now} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  )
}
