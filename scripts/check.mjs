#!/usr/bin/env node
/**
 * `npm run check`: format, lint, types with Effect's diagnostics and unused code, all at once, then the tests. With
 * `--static` the tests are left out. What fails is shown whole, what passes in one line.
 */
import { performance } from "node:perf_hooks"
import { join } from "node:path"
import { nodeEnv } from "./launch/node.mjs"
import { checkout } from "./launch/places.mjs"
import { prepare } from "./launch/prepare.mjs"
import { run } from "./launch/processes.mjs"
import { done, failed, giveUp, took } from "./launch/say.mjs"
import { runScript } from "./launch/supervise.mjs"

const bin = (/** @type {string} */ path) => join(checkout, "node_modules", path)
/** @type {Record<string, ReadonlyArray<string>>} */
const checks = {
  format: [bin("oxfmt/bin/oxfmt"), "--check"],
  lint: [bin("oxlint/bin/oxlint"), "--type-aware", "--deny-warnings"],
  types: [join(checkout, "scripts/types.mjs")],
  unused: [bin("knip/bin/knip.js")]
}

const args = process.argv.slice(2)

const main = async () => {
  const code = await prepare(process.env, { dev: true, script: import.meta.url, args })
  if (code !== undefined) return code
  const options = { cwd: checkout, env: nodeEnv(process.execPath, process.env) }
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, command]) => {
      const from = performance.now()
      const result = await run(process.execPath, command, options)
      const ms = performance.now() - from
      if (result.code === 0) return (done(name, "clean", ms), true)
      failed(`${name} (exit code ${result.code}, ${took(ms)})`)
      process.stdout.write(`${result.stdout}${result.stderr}\n`)
      return false
    })
  )
  if (results.includes(false)) return 1
  return args.includes("--static") ? 0 : runScript("scripts/test.mjs", [], process.env)
}

try {
  process.exitCode = await main()
} catch (error) {
  process.exitCode = giveUp(error)
}
