/** Every migration, in the order in which they run. A migration that has run anywhere is never changed: add another. */
import type { Migration } from "../Migrations.ts"
import { foundation } from "./0001_foundation.ts"
import { blocks } from "./0002_blocks.ts"
import { templates } from "./0003_templates.ts"
import { connections } from "./0004_connections.ts"
import { projectSettings } from "./0005_project_settings.ts"
import { embeddings } from "./0006_embeddings.ts"
import { channels } from "./0007_channels.ts"
import { rules } from "./0008_rules.ts"
import { alertLife } from "./0009_alert_life.ts"
import { pushSubscriptions } from "./0010_push_subscriptions.ts"
import { rollups } from "./0011_rollups.ts"
import { anomalies } from "./0012_anomalies.ts"
import { insights } from "./0013_insights.ts"
import { alertWords } from "./0014_alert_words.ts"
import { deliveryOrder } from "./0015_delivery_order.ts"
import { firedReason } from "./0016_fired_reason.ts"

export const migrations: ReadonlyArray<Migration> = [
  foundation,
  blocks,
  templates,
  connections,
  projectSettings,
  embeddings,
  channels,
  rules,
  alertLife,
  pushSubscriptions,
  rollups,
  anomalies,
  insights,
  alertWords,
  deliveryOrder,
  firedReason
]
