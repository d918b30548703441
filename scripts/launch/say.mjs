/**
 * What the launcher says, on stderr, one short line per step with the time it took. Colour only on a terminal that wants
 * it. Leaves what the started programs say to themselves.
 */
import { performance } from "node:perf_hooks"

const colour = process.stderr.isTTY && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb"

/** @param {string} code @param {string} text */
const paint = (code, text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text)

/** @param {number} ms milliseconds, shown as `340 ms` or `2.1 s` */
export const took = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`)

/** An error that is told to the user as it stands, without a stack. `exitCode` is what the launcher then exits with. */
export class Refusal extends Error {
  /** @param {string} message @param {number} [exitCode] */
  constructor(message, exitCode = 1) {
    super(message)
    this.name = "Refusal"
    this.exitCode = exitCode
  }
}

/** @param {string} text */
export const note = (text) => void process.stderr.write(`${paint("2", "  ·")} ${text}\n`)

/** @param {string} label @param {string} [detail] @param {number} [ms] */
export const done = (label, detail = "", ms) =>
  void process.stderr.write(
    `${paint("32", "  ✓")} ${label.padEnd(10)}${detail}${ms === undefined ? "" : paint("2", `  ${took(ms)}`)}\n`
  )

/** @param {string} text */
export const failed = (text) => void process.stderr.write(`${paint("31", "  ✗")} ${text}\n`)

/** A step that takes longer than this is announced before it is done. */
const patience_ms = 1_000

/**
 * Runs one step and says how it ended. The step returns the detail to show; one that had nothing to do returns none and is
 * not shown.
 *
 * @template A
 * @param {string} label
 * @param {string} doing what to say when it takes long
 * @param {() => Promise<{ value: A, detail?: string | undefined }>} run
 * @returns {Promise<A>}
 */
export const step = async (label, doing, run) => {
  const from = performance.now()
  const timer = setTimeout(() => note(`${doing} …`), patience_ms)
  try {
    const { detail, value } = await run()
    if (detail !== undefined) done(label, detail, performance.now() - from)
    return value
  } finally {
    clearTimeout(timer)
  }
}

/** Says why the launcher gives up and returns the exit code. @param {unknown} cause @returns {number} */
export const giveUp = (cause) => {
  if (cause instanceof Refusal) {
    failed(cause.message)
    return cause.exitCode
  }
  failed(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause))
  return 1
}
