#!/usr/bin/env node
/**
 * `npm run compat -- [SERVER…] [TEST…]`: installs what is missing and gets a Node that is good enough, then hands its
 * arguments to test/compat/main.ts, which runs the engine's tests on other servers than the usual one.
 */
import { prepare } from "./launch/prepare.mjs"
import { giveUp } from "./launch/say.mjs"
import { runScript } from "./launch/supervise.mjs"

const args = process.argv.slice(2)

try {
  const code = await prepare(process.env, { dev: true, script: import.meta.url, args })
  process.exitCode = code ?? (await runScript("test/compat/main.ts", args, process.env))
} catch (error) {
  process.exitCode = giveUp(error)
}
