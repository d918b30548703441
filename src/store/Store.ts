/** The whole store as one layer: a migrated database and one service per thing kept. Blobs, being files, stand apart. */
import { Layer } from "effect"
import { Alerts } from "./Alerts.ts"
import { ApiKeys } from "./ApiKeys.ts"
import { Connections } from "./Connections.ts"
import { Database, type DatabaseConfig } from "./Database.ts"
import { LogFiles } from "./LogFiles.ts"
import { Logs } from "./Logs.ts"
import * as Migrations from "./Migrations.ts"
import { Notifications } from "./Notifications.ts"
import { Projects } from "./Projects.ts"
import { Rules } from "./Rules.ts"

const services = Layer.mergeAll(
  Projects.layer,
  ApiKeys.layer,
  Logs.layer,
  LogFiles.layer,
  Rules.layer,
  Alerts.layer,
  Notifications.layer,
  Connections.layer
)

/** Migrates first, then builds every service; the database itself is there too, for health checks. */
export const layer = (config: DatabaseConfig) =>
  services.pipe(Layer.provideMerge(Migrations.layer), Layer.provideMerge(Database.layer(config)))
