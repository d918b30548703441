/** The log at full height, under its volume: live at the bottom, stored lines above, one search for both. */
import { LogExplorer } from "../parts/LogExplorer.tsx"
import { VolumeChart } from "../parts/VolumeChart.tsx"

export function LogsPage() {
  return (
    <main className="page logs-page">
      <h1 className="visually-hidden">Logs</h1>
      <VolumeChart />
      <LogExplorer title="Logs" />
    </main>
  )
}
