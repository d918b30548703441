/** Debian's Chromium under playwright-core, with a data folder of its own; null where there is none, with the reason. */
import { access, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type BrowserContext, chromium } from "playwright-core"

const path = process.env["LOGLYTICS_TEST_CHROMIUM"] ?? "/usr/bin/chromium"

/** Why there is no browser to test with, or null. */
export const whyNoBrowser = async (): Promise<string | null> =>
  access(path).then(
    () => null,
    () => `no Chromium at ${path} (set LOGLYTICS_TEST_CHROMIUM, or apt-get install chromium)`
  )

export interface Browser {
  readonly context: BrowserContext
  readonly close: () => Promise<void>
}

export const startBrowser = async (
  options: { readonly dark?: boolean; readonly mobile?: boolean } = {}
): Promise<Browser> => {
  const data = await mkdtemp(join(tmpdir(), "loglytics-chromium-"))
  const context = await chromium.launchPersistentContext(data, {
    executablePath: path,
    headless: true,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync"
    ],
    viewport: options.mobile === true ? { width: 390, height: 844 } : { width: 1440, height: 900 },
    deviceScaleFactor: options.mobile === true ? 2 : 1,
    colorScheme: options.dark === true ? "dark" : "light",
    hasTouch: options.mobile === true
  })
  return {
    context,
    close: async () => {
      await context.close()
      await rm(data, { recursive: true, force: true })
    }
  }
}
