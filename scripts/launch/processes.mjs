/**
 * Questions about other processes: is it alive, is it still the same one, run this and give me what it printed.
 */
import { spawn, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"

/**
 * Something that tells one life of a pid from the next (its start time), or undefined when no such process runs. A zombie
 * counts as dead although `kill(pid, 0)` still succeeds on it.
 * @param {number} pid
 * @returns {string | undefined}
 */
export const identity = (pid) => {
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  if (process.platform === "linux") {
    let stat
    try {
      stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    } catch {
      return undefined
    }
    // The command, in parentheses, may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19]
  }
  if (process.platform === "win32") {
    try {
      process.kill(pid, 0)
      return "alive"
    } catch {
      return undefined
    }
  }
  const out = spawnSync("ps", ["-o", "state=,lstart=", "-p", String(pid)], { encoding: "utf8" })
  const text = out.status === 0 ? out.stdout.trim() : ""
  return text === "" || text.startsWith("Z") ? undefined : text.replace(/^\S+\s+/u, "")
}

/** @typedef {{ pid: number, identity: string }} Life one life of one process */

/** @param {number} pid @returns {Life} */
export const lifeOf = (pid) => ({ pid, identity: identity(pid) ?? "gone" })

/** @param {Life} life */
export const isAlive = (life) => identity(life.pid) === life.identity

/**
 * Waits until the process is gone. @param {Life} life @param {number} withinMs @returns {Promise<boolean>} true when gone
 */
export const waitGone = async (life, withinMs) => {
  const until = Date.now() + withinMs
  while (isAlive(life)) {
    if (Date.now() > until) return false
    await sleep(20)
  }
  return true
}

/**
 * Asks a process to stop, then makes it. @param {Life} life @param {NodeJS.Signals} politely @param {number} patienceMs
 */
export const stopProcess = async (life, politely, patienceMs) => {
  if (!isAlive(life)) return
  signal(life.pid, politely)
  if (await waitGone(life, patienceMs)) return
  signal(life.pid, "SIGKILL")
  await waitGone(life, 5_000)
}

/** @param {number} pid @param {NodeJS.Signals} name */
export const signal = (pid, name) => {
  try {
    process.kill(pid, name)
  } catch {
    // It went by itself.
  }
}

/**
 * Runs a program to its end. Never throws: a program that cannot be started has code -1.
 * @param {string} command
 * @param {ReadonlyArray<string>} args
 * @param {import("node:child_process").SpawnOptions & { timeoutMs?: number }} [options]
 * @returns {Promise<{ code: number, stdout: string, stderr: string }>}
 */
export const run = (command, args, options = {}) =>
  new Promise((resolve) => {
    const { timeoutMs, ...rest } = options
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...rest })
    let stdout = ""
    let stderr = ""
    child.stdout?.on("data", (data) => (stdout += data))
    child.stderr?.on("data", (data) => (stderr += data))
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), timeoutMs)
    child.on("error", (error) => {
      clearTimeout(timer)
      resolve({ code: -1, stdout, stderr: stderr + error.message })
    })
    child.on("close", (code) => {
      clearTimeout(timer)
      resolve({ code: code ?? -1, stdout, stderr })
    })
  })

/** npm itself, however this process came to be. @returns {{ command: string, args: string[], shell: boolean }} */
export const npm = () => {
  const cli = process.env["npm_execpath"]
  if (cli && /npm-cli\.[cm]?js$/u.test(cli)) return { command: process.execPath, args: [cli], shell: false }
  return { command: process.platform === "win32" ? "npm.cmd" : "npm", args: [], shell: process.platform === "win32" }
}

/** The last lines of what a program said, for an error message. @param {string} text @param {number} [lines] */
export const tail = (text, lines = 5) => text.trim().split("\n").slice(-lines).join("\n    ")
