/**
 * What every command needs before it can run: the packages, and a Node that is good enough. Both are fetched at once, and
 * with them whatever else the caller will want to fetch.
 */
import { fileURLToPath } from "node:url"
import { ensureInstalled, isInstalled } from "./install.mjs"
import { become, ensureNode, findNode } from "./node.mjs"

/** @typedef {import("./places.mjs").Env} Env */

/**
 * @param {Env} env
 * @param {{ dev: boolean, script: string, args: ReadonlyArray<string>, also?: () => Promise<unknown> }} options `script`: the
 *   file URL of the caller, run again when another Node is needed; `also`: begun only when there is something to fetch, and
 *   need not succeed
 * @returns {Promise<number | undefined>} the exit code of that run, or undefined when this process may go on
 */
export const prepare = async (env, { also, args, dev, script }) => {
  const ready = isInstalled(dev) && findNode(env) !== undefined
  const [node] = await Promise.all([
    ensureNode(env),
    ensureInstalled(env, { dev }),
    ready ? undefined : also?.().catch(() => {})
  ])
  return node === process.execPath ? undefined : become(node, [fileURLToPath(script), ...args], env)
}
