/** The alert of a rule with `noData: "alert"`: no line at all comes from where its lines come from. */
import type { AlertRule } from "../domain/Rule.ts"
import { type Host, Member } from "./Member.ts"
import type { Watch } from "./Rule.ts"

/** The group of that alert; no other group can be called so. */
export const noDataKey = "no data"

const watchOf = (afterMs: number, source: string | undefined): Watch<unknown> => ({
  query: "*",
  threshold: 0,
  windowMs: afterMs,
  waitMs: 0,
  groupsMax: 1,
  start: (at) => at,
  observe: (state) => state,
  // The state is when a line came last.
  evaluate: (state, at) => {
    const ends = (state as number) + afterMs
    return at >= ends ? { met: true, value: 0 } : { met: false, value: 0, nextAt: ends }
  },
  moments: () => [],
  idle: () => true,
  describe: () =>
    `no data: no line ${source === undefined ? "" : `of service ${source} `}for ${Math.round(afterMs / 1000)} s`
})

export const silence = (
  of: { readonly rule: AlertRule; readonly noDataMs: number; readonly source: string | undefined },
  kept: string | undefined,
  at: number
): Member => {
  const host: Host = {
    rule: { ...of.rule, for: "0 seconds" },
    watch: watchOf(of.noDataMs, of.source),
    forMs: 0,
    keepMs: 0,
    note: () => "",
    frozen: () => false
  }
  const names = ["no_data"]
  return kept === undefined
    ? new Member(host, noDataKey, names, ["true"], at)
    : Member.read(host, noDataKey, names, kept, at)
}
