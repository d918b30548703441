/**
 * What a contestant must offer so that every scenario can be run with it: a caller that adds jobs and a worker that runs
 * them. One file per contestant beside this one; what a contestant cannot do it says, with the reason.
 */

/** About 100 bytes as JSON. `n` is unique within a room. */
export interface Payload {
  readonly n: number
  readonly text: string
}

/** What every handler returns, and every contestant keeps. `at`: when the handler began, ms of the machine's monotonic clock. */
export interface Done {
  readonly n: number
  readonly at: number
}

export interface Addition {
  readonly payload: Payload
  readonly delayMs?: number
  /** Default "low" where the scenario has priorities, else the contestant's default. */
  readonly priority?: "high" | "low"
}

/** Where a round happens: servers, and a name that no other round has. */
export interface Place {
  readonly redisUrl: string
  readonly databaseUrl: string
  readonly room: string
}

export interface Caller {
  /** Adds one job; resolves with its id once it is stored. */
  readonly add: (addition: Addition) => Promise<string>
  /** Adds many, in the contestant's fastest way. */
  readonly addMany: (additions: ReadonlyArray<Addition>) => Promise<void>
  /** Waits for a job's result without polling; rejects, or never resolves, where it is missed. */
  readonly result?: (id: string) => Promise<Done>
  /** Interrupts a job that runs in another process. */
  readonly cancel?: (id: string) => Promise<void>
  /** Empties the queue of all that waits. */
  readonly purge?: () => Promise<void>
  /** A round trip that does nothing: the bound of whoever awaits one per job. */
  readonly ping?: () => Promise<unknown>
  readonly close: () => Promise<void>
}

export interface WorkOptions {
  /** Undefined = the contestant's best for jobs that do nothing. */
  readonly concurrency: number | undefined
  /** Leave every other setting as it comes. */
  readonly defaults: boolean
  /** Runs a job. A promise where the job takes time; `signal` aborts it where the contestant can interrupt. */
  readonly handle: (payload: Payload, signal?: AbortSignal) => Done | Promise<Done>
}

export interface Working {
  /** How many jobs are finished, their results stored. */
  readonly settled: () => number
  /** CPU of processes other than this one that do the work, in µs. */
  readonly cpu?: () => number
  readonly stop: () => Promise<void>
}

export const scenarios = [
  "drained",
  "two-workers",
  "enqueue",
  "latency",
  "priority",
  "delayed",
  "killed",
  "bytes",
  "cancel",
  "script"
] as const
export type ScenarioName = (typeof scenarios)[number]

export interface Peer {
  readonly name: string
  /** Version and settings, for the table. */
  readonly about: string
  /** Scenarios that it cannot run, with the reason. */
  readonly cannot: Partial<Readonly<Record<ScenarioName, string>>>
  /** Why it can't be run on this machine; undefined = it can. */
  readonly absent?: () => string | undefined
  readonly call: (place: Place) => Promise<Caller>
  readonly work: (place: Place, options: WorkOptions) => Promise<Working>
}
