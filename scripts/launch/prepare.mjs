/**
 * What every command needs before it can run: the packages, and a Node that is good enough. Both are fetched at once, and
 * with them whatever else the caller hands in.
 */
import { fileURLToPath } from "node:url"
import { ensureInstalled } from "./install.mjs"
import { become, ensureNode } from "./node.mjs"

/** @typedef {import("./places.mjs").Env} Env */

/**
 * @param {Env} env
 * @param {{ dev: boolean, script: string, args: ReadonlyArray<string>, also?: Promise<unknown> | undefined }} options `script`: the
 *   file URL of the caller, run again when another Node is needed; `also`: a fetch that need not succeed yet
 * @returns {Promise<number | undefined>} the exit code of that run, or undefined when this process may go on
 */
export const prepare = async (env, { also, args, dev, script }) => {
  const [node] = await Promise.all([ensureNode(env), ensureInstalled(env, { dev }), also?.catch(() => {})])
  return node === process.execPath ? undefined : become(node, [fileURLToPath(script), ...args], env)
}
