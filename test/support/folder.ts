/** Folders of tests: each its own, gone when the tests of the file have ended. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"

const made: Array<string> = []
afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})

export const freshFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "loglytics-files-"))
  made.push(folder)
  return folder
}
