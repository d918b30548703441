#!/usr/bin/env node
/**
 * `loglytics`: brings up all that a command needs on a machine with nothing but Node, then runs it. Built-ins only, on Node
 * 18 or newer. `start`, `serve`, `work` and `beat` run src/main.ts with Redis and Postgres beside it; every other command
 * belongs to src/cli/main.ts and starts no server.
 */
import { dataFolder } from "./launch/places.mjs"
import { withDotEnv } from "./launch/env.mjs"
import { prepare } from "./launch/prepare.mjs"
import { findRedis } from "./launch/redis_binary.mjs"
import { giveUp, note } from "./launch/say.mjs"
import { enter, ensureServices, leave, runningServices, sweep } from "./launch/services.mjs"
import { listen, runMain, runScript } from "./launch/supervise.mjs"
import { watchServices } from "./launch/watch.mjs"
import { ensureWeb } from "./launch/web.mjs"

/** @typedef {import("./launch/places.mjs").Env} Env */

const roles = ["serve", "work", "beat"]
/** With this `src/main.ts` ends where it is to be started again (MemoryGuard.ts). */
const replaceExitCode = 75
/** What a shell says of a program that Ctrl-C ended. */
const interrupted = 130

/** @param {ReadonlyArray<string>} args @returns {{ command: string, rest: ReadonlyArray<string> }} `start` when none is named */
const read = (args) => {
  const [first = "start", ...rest] = args
  // Help is the command line's, and starts nothing.
  if (args.some((arg) => arg === "--help" || arg === "-h") || first === "--version")
    return { command: "cli", rest: args }
  return first.startsWith("-") ? { command: "start", rest: args } : { command: first, rest }
}

/** @param {Env} env @param {string} command @param {ReadonlyArray<string>} rest @param {ReadonlyArray<string>} args */
const main = async (env, command, rest, args) => {
  const data = dataFolder(env)
  // Redis may have to be fetched too, which can go on beside the packages.
  const also = async () => (env["REDIS_URL"] ? undefined : findRedis(env))
  const code = await prepare(env, { dev: false, script: import.meta.url, args, also })
  if (code !== undefined) return code
  const presses = listen()
  await sweep(data)
  enter(data)
  let unwatch = () => {}
  try {
    const page = command === "start" || command === "serve" ? ensureWeb(env) : undefined
    const [urls] = await Promise.all([ensureServices(env, data), page])
    if (presses.count > 0) return interrupted
    unwatch = watchServices(env, data, () => presses.count > 0)
    const given = roles.includes(command) ? ["--roles", command, ...rest] : rest
    for (;;) {
      const ended = await runMain(given, { ...env, ...urls, LOGLYTICS_DATA_DIR: data }, presses, (life) =>
        enter(data, life)
      )
      // A process above its memory limit drained and asks for the next one.
      if (ended !== replaceExitCode || presses.count > 0) return ended
      note("the process reached its memory limit and is started again")
    }
  } finally {
    unwatch()
    await leave(data)
  }
}

/** @param {Env} env @param {ReadonlyArray<string>} args */
const cli = async (env, args) => {
  const code = await prepare(env, { dev: false, script: import.meta.url, args })
  if (code !== undefined) return code
  const data = dataFolder(env)
  return runScript("src/cli/main.ts", args, { ...env, ...(await runningServices(env, data)), LOGLYTICS_DATA_DIR: data })
}

const args = process.argv.slice(2)
const { command, rest } = read(args)
const env = withDotEnv(process.env)
try {
  process.exitCode = await (command === "start" || roles.includes(command)
    ? main(env, command, rest, args)
    : cli(env, args))
} catch (error) {
  process.exitCode = giveUp(error)
}
