/** How a project's rules stand by what their judge has committed, for those who look. */
import { Clock, Effect } from "effect"
import type { ProjectId } from "../../domain/Ids.ts"
import { saved } from "../../pipeline/Judges.ts"

const off = { state: "off", evaluatedAt: null, groups: 0, firing: 0, dropped: 0, ignored: 0, lastError: null } as const

export const statusOf = Effect.fnUntraced(function* (project: ProjectId) {
  const { judge, rules } = yield* saved(project)
  const now = yield* Clock.currentTimeMillis
  const stands = judge.status(now)
  return rules.map(({ id, name }) => {
    const found = stands[id]
    if (found === undefined) return { ruleId: id, name, ...off }
    const { evaluatedAt, ...rest } = found
    return { ruleId: id, name, ...rest, evaluatedAt: evaluatedAt === null ? null : new Date(evaluatedAt).toISOString() }
  })
})
