/**
 * Waits until the process that started it is gone or says so (its end of our standard input closes), then stops the servers
 * of a throwaway data folder and removes it. So nothing is left behind by a test run that was killed.
 */
import { once } from "node:events"
import { rmSync } from "node:fs"
import { forgetPostgres } from "./postgres.mjs"
import { withLock } from "./lock.mjs"
import { lockOf, stopServices } from "./services.mjs"

const [folder] = process.argv.slice(2)
for (const name of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) process.on(name, () => {})
process.stdin.resume()
await once(process.stdin, "end")
if (folder !== undefined) {
  await withLock(lockOf(folder), () => stopServices(folder))
  forgetPostgres(folder)
  rmSync(folder, { recursive: true, force: true })
}
