/** The memory that the main loop and its watchdog share. Plain numbers and text; nothing is imported for it. */

export interface Shared {
  readonly stallMs: number
  /** `slots`, as Int32. */
  readonly control: SharedArrayBuffer
  /** Jobs that run, as JSON in UTF-8, as of the last tick. */
  readonly text: SharedArrayBuffer
  /** Names of the tasks begun lately, as places in `tasks`; Int32, a ring. */
  readonly ring: SharedArrayBuffer
  /** Names of tasks, as JSON in UTF-8. */
  readonly tasks: SharedArrayBuffer
}

/** Places in `control`. */
export const slots = {
  /** Raised by each tick of the main loop. */
  tick: 0,
  /** Set by the watchdog when it has told of a stall. */
  told: 1,
  textLength: 2,
  namesLength: 3,
  /** Jobs begun so far, and how many there were at the last tick. */
  started: 4,
  startedAtTick: 5
} as const
