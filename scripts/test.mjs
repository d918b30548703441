#!/usr/bin/env node
/**
 * `npm test`: installs what is missing, gets a Node that is good enough and a Chromium where it may, then runs Vitest with
 * the arguments it was given. Redis and Postgres are found or started by test/support/global.ts.
 */
import { ensureChromium } from "./launch/chromium.mjs"
import { withDotEnv } from "./launch/env.mjs"
import { prepare } from "./launch/prepare.mjs"
import { giveUp } from "./launch/say.mjs"
import { runScript } from "./launch/supervise.mjs"

const args = process.argv.slice(2)

/** Whether a run of these tests includes the one in the browser. */
const browser = args.every((one) => one.startsWith("-")) || args.some((one) => one.includes("web"))

const main = async () => {
  const code = await prepare(process.env, { dev: true, script: import.meta.url, args })
  if (code !== undefined) return code
  const env = withDotEnv(process.env)
  const chromium = browser ? await ensureChromium(env) : undefined
  const given = { ...process.env, ...(chromium && { LOGLYTICS_TEST_CHROMIUM: chromium }) }
  return runScript("node_modules/vitest/vitest.mjs", ["run", ...args], given)
}

try {
  process.exitCode = await main()
} catch (error) {
  process.exitCode = giveUp(error)
}
