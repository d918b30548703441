/**
 * Rules as a file that people keep beside their code: YAML (so JSON, too) with a list `rules`, each as the API takes it and known by
 * its name. Promises that what is written is read back as the same, in an order that makes for short diffs, and that every fault
 * of a file is told with its place.
 */
import { Schema, SchemaIssue } from "effect"
import { LineCounter, parseDocument, stringify } from "yaml"
import { type AlertRule, NewRule } from "./Rule.ts"

/** Rules of one file, at most. */
export const rulesMax = 1_000

const File = Schema.Struct({ rules: Schema.Array(NewRule).check(Schema.isMaxLength(rulesMax)) })

export interface Fault {
  /** In dots: `rules.2.window`; "" is the whole file. */
  readonly path: string
  readonly message: string
}

export type Read =
  | { readonly ok: true; readonly rules: ReadonlyArray<NewRule> }
  | { readonly ok: false; readonly faults: ReadonlyArray<Fault> }

const decode = Schema.decodeUnknownResult(File)
const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** A name can be looked for, a number in a list can't. */
const called = (document: unknown, index: number): string => {
  const rules = (document as { readonly rules?: ReadonlyArray<unknown> } | null)?.rules
  const name = (rules?.[index] as { readonly name?: unknown } | null | undefined)?.name
  return typeof name === "string" ? ` (${JSON.stringify(name.slice(0, 100))})` : ""
}

const twice = (rules: ReadonlyArray<NewRule>): ReadonlyArray<Fault> => {
  const known = new Set<string>()
  return rules.flatMap(({ name }, i) => {
    const again = known.has(name)
    known.add(name)
    return again
      ? [{ path: `rules.${i}.name`, message: `expected a name of its own, got ${JSON.stringify(name)} again` }]
      : []
  })
}

/** Reads the text of a file. */
export const read = (text: string): Read => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const [error] = document.errors
  if (error !== undefined) {
    const { col, line } = lines.linePos(error.pos[0])
    return { ok: false, faults: [{ path: "", message: `line ${line}, column ${col}: ${error.message}` }] }
  }
  let plain: unknown
  try {
    plain = document.toJS({ maxAliasCount: 100 })
  } catch (fault) {
    return { ok: false, faults: [{ path: "", message: fault instanceof Error ? fault.message : String(fault) }] }
  }
  const decoded = decode(plain, { errors: "all", onExcessProperty: "error" })
  if (decoded._tag === "Failure") {
    const faults = format(decoded.failure.issue).issues.map(({ message, path }) => {
      const steps = (path ?? []).map((step) => (typeof step === "object" ? step.key : step))
      return { path: steps.map(String).join("."), message: `${message}${called(plain, Number(steps[1]))}` }
    })
    return { ok: false, faults }
  }
  const faults = twice(decoded.success.rules)
  return faults.length > 0 ? { ok: false, faults } : { ok: true, rules: decoded.success.rules }
}

/** What a reader looks for first stands first; what is not named here follows by its name. */
const order = (
  "name type enabled query of field window threshold factor direction minimum count learn sensitivity learnBuckets " +
  "for keepFiringFor groupBy severity labels annotations lateness tooOld noData noDataAfter"
).split(" ")

const place = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length)

/** What a rule says, without who made it when; enabled unless it says otherwise. */
export const saidBy = ({
  createdAt: _made,
  enabled,
  id: _id,
  project: _project,
  updatedAt: _changed,
  ...spec
}: AlertRule): NewRule => (enabled ? spec : { ...spec, enabled })

const byName = <A>([one]: readonly [string, A], [other]: readonly [string, A]): number => (one < other ? -1 : 1)

/** A text that is the same for the same rule, whatever the order of its fields. */
export const canonical = (rule: NewRule): string =>
  JSON.stringify({ ...rule, enabled: rule.enabled ?? true }, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(byName))
      : value
  )

/**
 * The text of a file with these rules, by name. Where two have the same name it says so at its top: they can't be told apart when
 * the file is read.
 */
export const write = (rules: ReadonlyArray<AlertRule>): string => {
  const listed = rules
    .map(saidBy)
    .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map((rule) => Object.fromEntries(Object.entries(rule).toSorted(([a], [b]) => place(a) - place(b))))
  // Words that older readers of YAML take for something else stand in quotes.
  const text = stringify({ rules: listed }, { lineWidth: 0, aliasDuplicateObjects: false, compat: "yaml-1.1" })
  const doubled = listed.flatMap(({ name }, i) => (i > 0 && listed[i - 1]?.["name"] === name ? [name] : []))
  const notes = [...new Set(doubled)].map(
    (name) => `# ${JSON.stringify(name)} names more than one rule: rename before import\n`
  )
  return `${notes.join("")}${text}`
}
