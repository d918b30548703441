/**
 * The vocabulary of harm: what may be done to workers, wires, Redis and its groups while jobs run. Promises that a schedule
 * of verbs is decided from the seed alone, that every harm is written down with its time, and that each verb undoes itself.
 */
import { setTimeout as pause } from "node:timers/promises"
import { group, keysOf } from "../../src/streams/Keys.ts"
import { type QueueName, queues } from "../../src/jobs/JobQueue.ts"
import type { Arena } from "./Arena.ts"
import type { Dice } from "./Seed.ts"

/** One harm that is going to be done. `ms`: how long it lasts. */
export interface Deed {
  /** ms after the start of the run. */
  readonly at: number
  readonly verb: VerbName
  readonly worker: number
  readonly queue: QueueName
  readonly ms: number
}

interface Verb {
  /** How often it is chosen. */
  readonly weight: number
  /** ms that it lasts, from and to. */
  readonly lasts: readonly [number, number]
  readonly act: (arena: Arena, deed: Deed) => Promise<void>
}

const minuteMs = 60_000

/** Notes the harm for as long as it is done. */
const during = async (arena: Arena, verb: string, worker: number | undefined, act: () => Promise<void>) => {
  const over = arena.ledger.harm(verb, worker)
  try {
    await act()
  } finally {
    over()
  }
}

/** Redis goes away and comes back; nobody else may take it away meanwhile. */
const restart =
  (how: "kill" | "stop"): Verb["act"] =>
  (arena, { ms }) =>
    arena.alone(() =>
      during(arena, how === "kill" ? "redis killed" : "redis restarted", undefined, async () => {
        await arena.server[how]()
        await pause(ms)
        await arena.server.start()
      })
    )

const verbs = {
  /** kill -9 of a worker; another is started in its place. */
  kill: {
    weight: 20,
    lasts: [0, 1_500],
    act: async ({ members }, { ms, worker }) => {
      await members[worker]?.kill()
      await pause(ms)
      await members[worker]?.start()
    }
  },
  /** SIGSTOP and later SIGCONT: a worker that believes it still holds what others have taken. */
  freeze: {
    weight: 15,
    lasts: [200, 4_000],
    act: (arena, { ms, worker }) =>
      during(arena, "frozen", worker, async () => {
        arena.members[worker]?.signal("SIGSTOP")
        await pause(ms)
        arena.members[worker]?.signal("SIGCONT")
      })
  },
  /** SIGTERM: the graceful end, and a new one. */
  stop: {
    weight: 8,
    lasts: [0, 1_000],
    act: async ({ members }, { ms, worker }) => {
      await members[worker]?.stop()
      await pause(ms)
      await members[worker]?.start()
    }
  },
  /** All connections of a worker break, new ones are refused. */
  cut: {
    weight: 15,
    lasts: [0, 2_000],
    act: (arena, { ms, worker }) =>
      during(arena, "cut", worker, async () => {
        arena.members[worker]?.wire.cut()
        await pause(ms)
        arena.members[worker]?.wire.mend()
      })
  },
  /** Nothing comes through and nothing breaks: the worst of networks. */
  silence: {
    weight: 6,
    lasts: [200, 2_500],
    act: (arena, { ms, worker }) =>
      during(arena, "silenced", worker, async () => {
        arena.members[worker]?.wire.freeze()
        await pause(ms)
        arena.members[worker]?.wire.mend()
      })
  },
  /** Every piece of data takes 20 ms, one after another. */
  slow: {
    weight: 8,
    lasts: [500, 3_000],
    act: (arena, { ms, worker }) =>
      during(arena, "slowed", worker, async () => {
        arena.members[worker]?.wire.slow(20)
        await pause(ms)
        arena.members[worker]?.wire.slow(0)
      })
  },
  /** The caller's connections break: what it asked for may or may not have been heard. */
  cutCaller: {
    weight: 8,
    lasts: [0, 500],
    act: async (arena, { ms }) => {
      arena.caller.cut()
      await pause(ms)
      arena.caller.mend()
    }
  },
  /** The server drops every connection at once. */
  clientKill: {
    weight: 5,
    lasts: [0, 0],
    act: (arena) =>
      during(arena, "all dropped", undefined, async () => {
        await arena.redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await arena.redis.call("CLIENT", "KILL", "TYPE", "pubsub")
      })
  },
  killRedis: { weight: 5, lasts: [0, 1_000], act: restart("kill") },
  restartRedis: { weight: 4, lasts: [0, 1_000], act: restart("stop") },
  /** The consumer group vanishes, with all that is claimed in it. */
  destroyGroup: {
    weight: 5,
    lasts: [0, 0],
    act: (arena, { queue }) =>
      during(arena, "group destroyed", undefined, async () => {
        await arena.redis.xgroup("DESTROY", keysOf(arena.namespace).queue(queue).jobs, group)
      })
  },
  /** A worker's clock jumps by up to an hour, and back. */
  skew: {
    weight: 5,
    lasts: [500, 4_000],
    act: async ({ members }, { ms, worker }) => {
      members[worker]?.skew((ms % 2 === 0 ? 1 : -1) * (ms % 60) * minuteMs)
      await pause(ms)
      members[worker]?.skew(0)
    }
  },
  /** A queue is paused from outside, and resumed. */
  pause: {
    weight: 5,
    lasts: [200, 1_500],
    act: (arena, { ms, queue }) =>
      during(arena, "paused", undefined, async () => {
        await arena.steer((control) => control.pause(queue))
        await pause(ms)
        await arena.steer((control) => control.resume(queue))
      })
  }
} as const satisfies Record<string, Verb>

export type VerbName = keyof typeof verbs
export const verbNames = Object.keys(verbs) as ReadonlyArray<VerbName>

/** Does one deed, and undoes it. */
export const act = (arena: Arena, deed: Deed): Promise<void> => (verbs[deed.verb] as Verb).act(arena, deed)

export interface ScheduleOptions {
  readonly forMs: number
  readonly workers: number
  /** Deeds in a second, on average. */
  readonly perSecond: number
  readonly only?: ReadonlyArray<VerbName>
}

/** What will be done when, decided from the dice alone. The last two seconds are left in peace. */
export const schedule = (dice: Dice, options: ScheduleOptions): ReadonlyArray<Deed> => {
  const known = (options.only ?? verbNames).map((name) => ({ name, weight: verbs[name].weight }))
  const deeds: Array<Deed> = []
  for (let at = 200; ;) {
    at += (dice.next() * 2 * 1_000) / options.perSecond
    if (at > options.forMs - 2_000) return deeds
    const { name } = dice.weighted(known)
    const [from, to] = verbs[name].lasts
    deeds.push({
      at: Math.round(at),
      verb: name,
      worker: dice.int(0, options.workers - 1),
      queue: dice.pick(queues),
      ms: dice.int(from, to)
    })
  }
}

/** One deed in words. */
export const words = ({ at, ms, queue, verb, worker }: Deed): string =>
  `${(at / 1_000).toFixed(1).padStart(6)} s  ${verb.padEnd(12)} worker ${worker}  ${queue.padEnd(13)} for ${ms} ms`
