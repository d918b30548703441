/** Every source that connections may name. A new one is a file in sources/ and a line here. */
import type { Connection } from "../domain/Connection.ts"
import type { PullSource } from "./Source.ts"
import { http_pull } from "./sources/http_pull.ts"

export const sources: Readonly<Record<Connection["kind"], PullSource>> = { http_pull }
