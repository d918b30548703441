/**
 * The judges of one partition: one per project with rules, their windows loaded from what the last commit saved. Promises
 * that rules are loaded where the stream says they changed, so that a rule judges exactly the lines accepted after it.
 */
import { Effect, Option, Schedule, Schema } from "effect"
import * as Judge from "../alerts/Judge.ts"
import { ProjectId } from "../domain/Ids.ts"
import { Rules } from "../store/Rules.ts"
import type { StateChanges } from "../streams/LogStream.ts"

const backoff = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("2 seconds")]).pipe(Schedule.jittered)

const decodeProject = Schema.decodeOption(ProjectId)

export const make = Effect.fnUntraced(function* (saved: ReadonlyMap<string, string>) {
  const rules = yield* Rules
  const judges = new Map<string, Judge.Judge>()
  /** Projects whose rules were looked up, with or without rules. */
  const known = new Set<string>()
  const written = new Map<string, string>(saved)

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
    const before = judges.get(project)?.state ?? parse(written.get(project))
    known.add(project)
    if (list.length === 0) judges.delete(project)
    else judges.set(project, Judge.make(list, before))
  })

  for (const project of saved.keys()) yield* load(project)

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
    /** The states that differ from what was last handed on to be committed. */
    changes: (): StateChanges => {
      const changes = new Map<string, string>()
      for (const [project, judge] of judges) {
        const state = JSON.stringify(judge.state)
        if (written.get(project) !== state) changes.set(project, state)
      }
      for (const project of written.keys()) if (!judges.has(project)) changes.set(project, "")
      return changes
    },
    /** Says that these states will be committed; if not, a new owner begins with those that were. */
    handedOn: (changes: StateChanges): void => {
      for (const [project, state] of changes) {
        if (state === "") written.delete(project)
        else written.set(project, state)
      }
    }
  }
})

export type Judges = Effect.Success<ReturnType<typeof make>>

const parse = (text: string | undefined): Judge.JudgeState | undefined =>
  text === undefined ? undefined : (JSON.parse(text) as Judge.JudgeState)
