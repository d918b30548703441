/**
 * What may be done to doors, pipelines, wires, Redis and Postgres while lines are sent. Promises that a schedule of verbs is
 * decided from the seed alone and that each verb undoes itself.
 */
import { setTimeout as pause } from "node:timers/promises"
import type { Dice } from "../chaos/Seed.ts"
import type { Arena, Member } from "./Arena.ts"

/** One harm that is going to be done. `ms`: how long it lasts. */
export interface Deed {
  /** ms after the start of the run. */
  readonly at: number
  readonly verb: VerbName
  /** 0 is the door, the others are pipelines. */
  readonly member: number
  readonly ms: number
}

interface Verb {
  /** How often it is chosen. */
  readonly weight: number
  /** ms that it lasts, from and to. */
  readonly lasts: readonly [number, number]
  readonly act: (arena: Arena, member: Member, ms: number) => Promise<void>
}

/** A server goes away and comes back; no other server goes away meanwhile. */
const restart =
  (server: "redis" | "postgres", how: "kill" | "stop"): Verb["act"] =>
  (arena, _, ms) =>
    arena.alone(async () => {
      await arena[server][how]()
      await pause(ms)
      await arena[server].start()
    })

const wires =
  (which: "redis" | "postgres", harm: "cut" | "freeze" | "deafen"): Verb["act"] =>
  async (_, member, ms) => {
    member[which][harm]()
    await pause(ms)
    member[which].mend()
  }

const verbs = {
  /** kill -9; another is started in its place. */
  kill: {
    weight: 20,
    lasts: [0, 1_000],
    act: async (_, member, ms) => {
      await member.kill()
      await pause(ms)
      await member.start()
    }
  },
  /** SIGTERM: the graceful end, and a new one. */
  stop: {
    weight: 6,
    lasts: [0, 500],
    act: async (_, member, ms) => {
      await member.stop()
      await pause(ms)
      await member.start()
    }
  },
  /** SIGSTOP and later SIGCONT, longer than the lease: an owner that believes it still owns what another has taken. */
  freeze: {
    weight: 14,
    lasts: [500, 7_000],
    act: async (_, member, ms) => {
      member.signal("SIGSTOP")
      await pause(ms)
      member.signal("SIGCONT")
    }
  },
  cutRedis: { weight: 10, lasts: [0, 1_500], act: wires("redis", "cut") },
  /** What is asked is done, the answer is lost. */
  deafenRedis: { weight: 10, lasts: [300, 1_500], act: wires("redis", "deafen") },
  cutPostgres: { weight: 10, lasts: [0, 1_500], act: wires("postgres", "cut") },
  deafenPostgres: { weight: 10, lasts: [300, 1_500], act: wires("postgres", "deafen") },
  silencePostgres: { weight: 4, lasts: [300, 2_000], act: wires("postgres", "freeze") },
  /** Requests reach the door and are done; those who sent them never hear of it. */
  loseAnswers: {
    weight: 12,
    lasts: [100, 800],
    act: async ({ entry }, _, ms) => {
      entry.deafen()
      await pause(ms)
      entry.cut()
      entry.mend()
    }
  },
  killRedis: { weight: 8, lasts: [0, 800], act: restart("redis", "kill") },
  restartRedis: { weight: 3, lasts: [0, 500], act: restart("redis", "stop") },
  killPostgres: { weight: 8, lasts: [0, 800], act: restart("postgres", "kill") },
  restartPostgres: { weight: 3, lasts: [0, 500], act: restart("postgres", "stop") }
} as const satisfies Record<string, Verb>

export type VerbName = keyof typeof verbs
export const verbNames = Object.keys(verbs) as ReadonlyArray<VerbName>

/** Does one deed, and undoes it. */
export const act = async (arena: Arena, deed: Deed): Promise<void> => {
  const member = arena.members[deed.member]
  if (member !== undefined) await (verbs[deed.verb] as Verb).act(arena, member, deed.ms)
}

export interface ScheduleOptions {
  readonly forMs: number
  readonly members: number
  /** Deeds in a second, on average. */
  readonly perSecond: number
  readonly only?: ReadonlyArray<VerbName>
}

/** What will be done when, decided from the dice alone. The last two seconds are left in peace. */
export const schedule = (dice: Dice, options: ScheduleOptions): ReadonlyArray<Deed> => {
  const known = (options.only ?? verbNames).map((name) => ({ name, weight: verbs[name].weight }))
  const deeds: Array<Deed> = []
  for (let at = 300; ;) {
    at += (dice.next() * 2 * 1_000) / options.perSecond
    if (at > options.forMs - 2_000) return deeds
    const { name } = dice.weighted(known)
    const [from, to] = verbs[name].lasts
    deeds.push({ at: Math.round(at), verb: name, member: dice.int(0, options.members - 1), ms: dice.int(from, to) })
  }
}

/** One deed in words. */
export const words = ({ at, member, ms, verb }: Deed): string =>
  `${(at / 1_000).toFixed(1).padStart(6)} s  ${verb.padEnd(16)} ${member === 0 ? "door" : `pipeline ${member}`}  for ${ms} ms`
