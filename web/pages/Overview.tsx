/** The first page: whether all is well, what fires, how much comes in, what waits, and the log itself as it arrives. */
import { AlertsPanel } from "../parts/AlertsPanel.tsx"
import { HealthStrip } from "../parts/HealthStrip.tsx"
import { JobsPanel } from "../parts/JobsPanel.tsx"
import { LogExplorer } from "../parts/LogExplorer.tsx"
import { QueuesPanel } from "../parts/QueuesPanel.tsx"
import { VolumeChart } from "../parts/VolumeChart.tsx"

export function OverviewPage() {
  return (
    <main className="page overview">
      <h1 className="visually-hidden">Overview</h1>
      <HealthStrip />
      <div className="columns">
        <div className="column-wide">
          <VolumeChart />
          <LogExplorer title="Live tail" />
        </div>
        <div className="column-side">
          <AlertsPanel />
          <QueuesPanel />
          <JobsPanel />
        </div>
      </div>
    </main>
  )
}
