/**
 * The judges of one partition: one per project with rules, their windows loaded from what the last commit saved. Promises
 * that rules are loaded where the stream says they changed, so that a rule judges exactly the lines accepted after it.
 */
import { Effect, Option, Schedule, Schema } from "effect"
import * as Judge from "../alerts/Judge.ts"
import { ProjectId } from "../domain/Ids.ts"
import { Rules } from "../store/Rules.ts"
import { LogStream, type StateChanges } from "../streams/LogStream.ts"

const backoff = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("2 seconds")]).pipe(Schedule.jittered)

const decodeProject = Schema.decodeOption(ProjectId)

export const make = Effect.fnUntraced(function* (saved: ReadonlyMap<string, string>) {
  const rules = yield* Rules
  const judges = new Map<string, Judge.Judge>()
  /** Projects whose rules were looked up, with or without rules. */
  const known = new Set<string>()
  /** What is saved of a project that has no judge yet. */
  const unread = stateOf(saved)
  /** Changes of judges that have been replaced since. */
  const pending = new Map<string, string>()

  const load = Effect.fnUntraced(function* (project: string) {
    const id = decodeProject(project)
    // Tried until it succeeds: who asks is in the midst of a batch, and must not count its first lines again.
    const list = Option.isSome(id)
      ? yield* rules.list(id.value).pipe(
          Effect.tapError((error) => Effect.logWarning("rules can't be read now", error.message)),
          Effect.retry(backoff),
          Effect.orDie
        )
      : []
    const judge = judges.get(project)
    for (const [field, text] of judge?.changes() ?? []) pending.set(fieldOf(project, field), text)
    const before = judge?.state ?? unread.get(project)
    known.add(project)
    unread.delete(project)
    if (list.some(({ enabled }) => enabled)) {
      judges.set(project, Judge.make(list, before))
    } else {
      judges.delete(project)
      for (const field of Object.keys(before ?? {})) pending.set(fieldOf(project, field), "")
    }
  })

  for (const project of Array.from(unread.keys())) yield* load(project)

  return {
    /** Loads a project's rules anew, keeping the windows of rules that did not change. */
    load,
    /** The judge of a project, or undefined where it has no rules. */
    of: Effect.fnUntraced(function* (project: string) {
      if (!known.has(project)) yield* load(project)
      return judges.get(project)
    }),
    /** Lets time pass for all judges whose next moment has come. */
    tick: (now: number): ReadonlyArray<Judge.Verdict> =>
      [...judges.values()].flatMap((judge) =>
        judge.nextTickAt !== undefined && judge.nextTickAt <= now ? judge.tick(now) : []
      ),
    /**
     * The fields of state that differ from what was asked for last, to be committed. If they are not, a new owner begins with
     * those that were.
     */
    changes: (): StateChanges => {
      const changes = new Map(pending)
      pending.clear()
      for (const [project, judge] of judges) {
        for (const [field, text] of judge.changes()) changes.set(fieldOf(project, field), text)
      }
      return changes
    }
  }
})

export type Judges = Effect.Success<ReturnType<typeof make>>

/** The judge's field under which a project's state is kept among those of other projects; a project's id has no space. */
const fieldOf = (project: string, field: string): string => (field === "" ? project : `${project} ${field}`)

/** What was saved, by project. */
const stateOf = (saved: ReadonlyMap<string, string>): Map<string, Record<string, string>> => {
  const states = new Map<string, Record<string, string>>()
  for (const [name, text] of saved) {
    const space = name.indexOf(" ")
    const project = space < 0 ? name : name.slice(0, space)
    const state = states.get(project) ?? {}
    states.set(project, state)
    state[space < 0 ? "" : name.slice(space + 1)] = text
  }
  return states
}

/** The judge of a project as it was committed last, for those who look and don't judge; and whether it is up to date. */
export const saved = Effect.fnUntraced(function* (project: ProjectId) {
  const rules = yield* Rules
  const stream = yield* LogStream
  // The rules first: state of a rule that is gone since is not looked at, a rule that changed since has none.
  const list = yield* rules.list(project)
  const { caughtUp, state } = yield* stream.saved(project)
  return { rules: list, judge: Judge.make(list, stateOf(state).get(project)), caughtUp }
})
