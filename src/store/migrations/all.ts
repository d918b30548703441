/** Every migration, in the order in which they run. A migration that has run anywhere is never changed: add another. */
import type { Migration } from "../Migrations.ts"
import { foundation } from "./0001_foundation.ts"
import { blocks } from "./0002_blocks.ts"
import { templates } from "./0003_templates.ts"
import { connections } from "./0004_connections.ts"
import { projectSettings } from "./0005_project_settings.ts"
import { embeddings } from "./0006_embeddings.ts"
import { channels } from "./0007_channels.ts"

export const migrations: ReadonlyArray<Migration> = [
  foundation,
  blocks,
  templates,
  connections,
  projectSettings,
  embeddings,
  channels
]
