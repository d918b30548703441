/**
 * Matchers: conditions on what an alert is called and carries, as routes, silences and inhibitions name alerts. Pure; regular
 * expressions take time linear in the text, so a stranger's label can't hold anything up.
 */
import { RE2JS } from "re2js"
import { Schema } from "effect"

export const operators = ["=~", "!~", "!=", "="] as const
export type Operator = (typeof operators)[number]

export interface Matcher {
  readonly name: string
  readonly op: Operator
  readonly value: string
}

export type Parsed =
  | { readonly ok: true; readonly matcher: Matcher }
  | { readonly ok: false; readonly expected: string; readonly got: string }

const shape = /^\s*([A-Za-z_][\w.\-/]{0,99})\s*(=~|!~|!=|=)\s*([\s\S]*?)\s*$/u
const valueMax = 500

/** The text between quotes; as it is without them. */
const unquoted = (text: string): string =>
  text.length >= 2 && text.startsWith('"') && text.endsWith('"')
    ? text.slice(1, -1).replaceAll('\\"', '"').replaceAll("\\\\", "\\")
    : text

/** Reads `severity="critical"`, `service != web`, `team =~ "a|b"`. An expression has to match the whole value. */
export const parse = (text: string): Parsed => {
  const [, name, op, raw] = shape.exec(text) ?? []
  const got = JSON.stringify(text.slice(0, 100))
  if (name === undefined) return { ok: false, expected: "a name, one of = != =~ !~ and a value", got }
  const value = unquoted(raw ?? "")
  if (value.length > valueMax) return { ok: false, expected: `a value of at most ${valueMax} characters`, got }
  if (op === "=~" || op === "!~") {
    try {
      RE2JS.compile(value)
    } catch {
      return { ok: false, expected: "a regular expression (RE2)", got: JSON.stringify(value.slice(0, 100)) }
    }
  }
  return { ok: true, matcher: { name, op: op as Operator, value } }
}

export const MatcherText = Schema.String.check(
  Schema.makeFilter((text: string) => {
    const parsed = parse(text)
    return parsed.ok || `expected ${parsed.expected}, got ${parsed.got}`
  })
).annotate({ identifier: "Matcher", description: 'for example severity="critical" or service=~"pay.*"' })

/** All must hold. */
export const Matchers = Schema.Array(MatcherText).check(Schema.isMaxLength(20))

type Test = (subject: Readonly<Record<string, string>>) => boolean

/** Compiled matchers by their text; as many as there are distinct texts, but no more than this. */
const known = new Map<string, Test>()
const knownMax = 2_000

const compile = (text: string): Test => {
  const parsed = parse(text)
  if (!parsed.ok) return () => false
  const { name, op, value } = parsed.matcher
  const of = (subject: Readonly<Record<string, string>>): string =>
    Object.hasOwn(subject, name) ? (subject[name] ?? "") : ""
  if (op === "=") return (subject) => of(subject) === value
  if (op === "!=") return (subject) => of(subject) !== value
  const pattern = RE2JS.compile(value)
  const wanted = op === "=~"
  return (subject) => pattern.matcher(of(subject)).matches() === wanted
}

const testOf = (text: string): Test => {
  const found = known.get(text)
  if (found !== undefined) return found
  if (known.size >= knownMax) known.clear()
  const made = compile(text)
  known.set(text, made)
  return made
}

/** Whether all matchers hold for these names and values; a name that is not there has the value "". Without matchers: yes. */
export const matches = (matchers: ReadonlyArray<string>, subject: Readonly<Record<string, string>>): boolean =>
  matchers.every((text) => testOf(text)(subject))
