/**
 * Runs one child: the main program, which is told once to drain and is given the time it wants, or a command that shares
 * our terminal. Leaves the servers to `services.mjs`.
 */
import { spawn } from "node:child_process"
import { constants } from "node:os"
import { performance } from "node:perf_hooks"
import { pathToFileURL } from "node:url"
import { join } from "node:path"
import { nodeEnv, onOrphaned } from "./node.mjs"
import { checkout } from "./places.mjs"
import { lifeOf } from "./processes.mjs"
import { note } from "./say.mjs"

/** @typedef {import("./places.mjs").Env} Env */
/** @typedef {import("./processes.mjs").Life} Life */

/** Type stripping is stable in what we run; older Nodes say otherwise on every start. */
const nodeFlags = ["--disable-warning=ExperimentalWarning"]

/** Ctrl-C reaches us twice, from the terminal and from npm, which passes it on: signals this close together are one. */
const same_press_ms = 500

/**
 * Turns signals into presses: the first asks, a later one forces. Without a handler of ours a signal would end this process
 * at once and leave what it started, so listening begins before anything is started.
 * @returns {{ count: number, pressed: (count: number) => void }}
 */
export const listen = () => {
  const presses = { count: 0, pressed: (/** @type {number} */ _count) => {} }
  let last = -Infinity
  const listener = () => {
    const now = performance.now()
    const again = now - last > same_press_ms
    last = now
    if (again) presses.pressed(++presses.count)
  }
  for (const name of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) process.on(name, listener)
  onOrphaned(listener)
  return presses
}

/** @param {number | null} code @param {NodeJS.Signals | null} name */
const exitCode = (code, name) => code ?? 128 + (name ? constants.signals[name] : 1)

/**
 * Runs the main program until it ends. It has a process group of its own, so that a Ctrl-C reaches it once, through us.
 * @param {ReadonlyArray<string>} args @param {Env} env @param {ReturnType<typeof listen>} presses
 * @param {(life: Life) => void} started
 * @returns {Promise<number>} its exit code
 */
export const runMain = (args, env, presses, started) =>
  new Promise((resolve, reject) => {
    const leash = pathToFileURL(join(checkout, "scripts", "launch", "leash.mjs")).href
    const child = spawn(
      process.execPath,
      [...nodeFlags, "--import", leash, join(checkout, "src", "main.ts"), ...args],
      {
        cwd: checkout,
        detached: process.platform !== "win32",
        stdio: ["ignore", "inherit", "inherit", "ipc"],
        env: nodeEnv(process.execPath, env)
      }
    )
    presses.pressed = (count) => {
      if (count === 1) {
        note("stopping: waiting for running work to end; press Ctrl-C again to force it")
        child.kill("SIGTERM")
      } else {
        note("forced")
        child.kill("SIGKILL")
      }
    }
    child.on("error", reject)
    child.on("close", (code, name) => {
      presses.pressed = () => {}
      resolve(exitCode(code, name))
    })
    if (child.pid !== undefined) started(lifeOf(child.pid))
  })

/**
 * Runs a script that shares our terminal and our signals. @param {string} script relative to the checkout
 * @param {ReadonlyArray<string>} args @param {Env} env @param {string} [cwd] @returns {Promise<number>} its exit code
 */
export const runScript = (script, args, env, cwd = process.cwd()) =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...nodeFlags, join(checkout, script), ...args], {
      cwd,
      stdio: "inherit",
      env: nodeEnv(process.execPath, env)
    })
    // The terminal tells it of Ctrl-C itself; what is sent to us alone is passed on.
    process.on("SIGINT", () => void (process.stdin.isTTY || child.kill("SIGINT")))
    process.on("SIGTERM", () => child.kill("SIGTERM"))
    process.on("SIGHUP", () => child.kill("SIGHUP"))
    onOrphaned(() => child.kill("SIGTERM"))
    child.on("error", reject)
    child.on("close", (code, name) => resolve(exitCode(code, name)))
  })
