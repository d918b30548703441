/** Every migration, in the order in which they run. A migration that has run anywhere is never changed: add another. */
import type { Migration } from "../Migrations.ts"
import { foundation } from "./0001_foundation.ts"

export const migrations: ReadonlyArray<Migration> = [foundation]
