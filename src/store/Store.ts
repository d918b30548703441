/** The whole store as one layer: a migrated database and one service per thing kept. Blobs, being files, stand apart. */
import { Layer, type Redacted } from "effect"
import { Alerts } from "./Alerts.ts"
import { Anomalies } from "./Anomalies.ts"
import { ApiKeys } from "./ApiKeys.ts"
import { Channels } from "./Channels.ts"
import { Connections } from "./Connections.ts"
import { Database, type DatabaseConfig } from "./Database.ts"
import { Deliveries } from "./Deliveries.ts"
import { Embeddings } from "./Embeddings.ts"
import { Incidents } from "./Incidents.ts"
import { Insights } from "./Insights.ts"
import { LogFiles } from "./LogFiles.ts"
import { Logs } from "./Logs.ts"
import * as Migrations from "./Migrations.ts"
import { Notifications } from "./Notifications.ts"
import { Projects } from "./Projects.ts"
import { ProjectSettings } from "./ProjectSettings.ts"
import { Rollups } from "./Rollups.ts"
import { Routes } from "./Routes.ts"
import { PushSubscriptions } from "./PushSubscriptions.ts"
import { Rules } from "./Rules.ts"
import { Silences } from "./Silences.ts"
import { Templates } from "./Templates.ts"
import { Vault } from "./Vault.ts"

const services = Layer.mergeAll(
  Projects.layer,
  ProjectSettings.layer,
  ApiKeys.layer,
  Logs.layer,
  LogFiles.layer,
  Rules.layer,
  Alerts.layer,
  Incidents.layer,
  Silences.layer,
  Routes.layer,
  Notifications.layer,
  Templates.layer,
  Connections.layer,
  Channels.layer,
  Deliveries.layer,
  PushSubscriptions.layer,
  Embeddings.layer,
  Insights.layer,
  Rollups.layer,
  Anomalies.layer
)

export interface StoreConfig extends DatabaseConfig {
  /** Keys of the vault; the first seals. Without any, no credentials can be kept. */
  readonly secretKeys?: ReadonlyArray<Redacted.Redacted>
}

/** Migrates first, then builds every service; the database itself is there too, for health checks. */
export const layer = ({ secretKeys = [], ...config }: StoreConfig) =>
  services.pipe(
    Layer.provide(Vault.layer(secretKeys)),
    Layer.provideMerge(Migrations.layer),
    Layer.provideMerge(Database.layer(config))
  )
