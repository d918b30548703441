/**
 * Titles and texts in a project's own words: a subset of mustache (`{{title}}`, `{{#alerts}}…{{/alerts}}`, `{{^alerts}}…{{/alerts}}`,
 * `{{! comment }}`). Promises that a template is checked before it is kept, that it can only tell what the message holds, and that
 * time and output are bounded. It makes plain text: each channel escapes that for its own kind, as it does all others. Pure.
 */
import { Schema } from "effect"
import { type Outgoing, textMax, titleMax, type ToldAlert } from "../domain/Outgoing.ts"
import { cut } from "../domain/Text.ts"

const sourceMax = 4_000
const depthMax = 5
/** Parts that are visited in one rendering: sections in sections over many alerts multiply. */
const stepsMax = 20_000

type Part =
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "Name"; readonly path: ReadonlyArray<string> }
  | {
      readonly _tag: "Section"
      readonly path: ReadonlyArray<string>
      readonly inverted: boolean
      readonly parts: ReadonlyArray<Part>
    }

/** What may be named, outside and inside of `alerts`; `*` stands for any name. */
const names: ReadonlyArray<RegExp> = [
  /^(?:title|text|severity|state|kind|url|at|key|count|incident)$/u,
  /^alerts$/u,
  /^(?:id|rule|value|threshold|reason|startedAt|resolvedAt|samples|before|summary|runbookUrl)$/u,
  /^(?:labels|group)(?:\.[^.{}\s]{1,100})?$/u,
  /^(?:name|\.)$/u
]
const namesText =
  "title, text, severity, state, kind, url, at, key, count, incident, alerts; inside of alerts id, rule, state, value, threshold, reason, startedAt, resolvedAt, samples, before, summary, runbookUrl, labels.NAME, group.NAME; inside of labels and group name; . for the value itself"

const tag = /\{\{([^{}]{0,200})\}\}/gu

interface Open {
  readonly name: string
  readonly inverted: boolean
  readonly parts: Array<Part>
}

/** The parts of a template, or what is wrong with it. */
const parse = (source: string): ReadonlyArray<Part> | { readonly fault: string } => {
  if (source.length > sourceMax) return { fault: `expected at most ${sourceMax} characters, got ${source.length}` }
  if (/\{{3}|\}{3}/u.test(source)) return { fault: "expected {{ and }} in pairs, got three braces in a row" }
  const stack: Array<Open> = [{ name: "", inverted: false, parts: [] }]
  let at = 0
  const take = (text: string): string | undefined => {
    if (/\{\{|\}\}/u.test(text)) return `expected {{ and }} in pairs, got ${JSON.stringify(cut(text.trim(), 60))}`
    if (text !== "") stack.at(-1)!.parts.push({ _tag: "Text", text })
    return undefined
  }
  for (const match of source.matchAll(tag)) {
    const [whole, inside = ""] = match
    const sign = /^[#^/!]/u.exec(inside.trim())?.[0] ?? ""
    const name = inside.trim().slice(sign.length).trim()
    const fault = take(source.slice(at, match.index))
    if (fault !== undefined) return { fault }
    at = match.index + whole.length
    if (sign === "!") continue
    if (!names.some((known) => known.test(name))) {
      return { fault: `expected a name of the message (${namesText}), got ${JSON.stringify(cut(name, 60))}` }
    }
    const path = name === "." ? ["."] : name.split(".")
    if (sign === "") stack.at(-1)!.parts.push({ _tag: "Name", path })
    else if (sign === "/") {
      const open = stack.pop()!
      const outer = stack.at(-1)
      if (outer === undefined || open.name !== name) {
        const expected = outer === undefined ? "no end of a section here" : `{{/${open.name}}}`
        return { fault: `expected ${expected}, got {{/${name}}}` }
      }
      outer.parts.push({ _tag: "Section", path: name.split("."), inverted: open.inverted, parts: open.parts })
    } else {
      if (stack.length > depthMax) return { fault: `expected sections at most ${depthMax} deep, got more` }
      stack.push({ name, inverted: sign === "^", parts: [] })
    }
  }
  const fault = take(source.slice(at))
  if (fault !== undefined) return { fault }
  const open = stack.at(-1)!
  return stack.length > 1 ? { fault: `expected {{/${open.name}}}, got the end of the template` } : open.parts
}

/** What is wrong with a template; undefined when nothing is. */
const fault = (source: string): string | undefined => {
  const parts = parse(source)
  return "fault" in parts ? parts.fault : undefined
}

const Source = Schema.String.check(Schema.makeFilter((text: string) => fault(text)))

/** The key `template` of any channel's settings. */
export const Template = Schema.Struct({
  title: Schema.optionalKey(Source),
  text: Schema.optionalKey(Source)
}).annotate({ identifier: "Template" })
export type Template = typeof Template.Type

type Value = string | number | null | undefined | { readonly [name: string]: Value } | ReadonlyArray<Value>

const entries = (record: Readonly<Record<string, string>>): ReadonlyArray<Value> =>
  Object.entries(record).map(([name, value]) => ({ name, ".": value }))

/** Labels are a list for sections, and have members for dots. */
interface Scope {
  readonly values: { readonly [name: string]: Value }
  readonly members: Readonly<Record<string, Readonly<Record<string, string>>>>
}

const alertScope = (alert: ToldAlert): Scope => ({
  values: { ...alert, labels: entries(alert.labels), group: entries(alert.group) },
  members: { labels: alert.labels, group: alert.group }
})

/** Labels and group of a message are those of its first alert. */
const messageScope = ({ at, incident, key, kind, severity, state, text, title, url }: Outgoing): Scope => {
  const first = incident?.alerts[0] === undefined ? undefined : alertScope(incident.alerts[0])
  const { group, labels } = first?.values ?? {}
  return {
    values: {
      at,
      key,
      kind,
      severity,
      state,
      text,
      title,
      url,
      incident: incident?.id,
      count: incident?.count,
      labels,
      group
    },
    members: first?.members ?? {}
  }
}

const own = (record: object, name: string): Value =>
  Object.hasOwn(record, name) ? (record as Readonly<Record<string, Value>>)[name] : undefined

/** The value of a name in the innermost scope that has it. */
const find = (scopes: ReadonlyArray<Scope>, [first = "", ...rest]: ReadonlyArray<string>): Value => {
  for (const { members, values } of scopes) {
    if (rest.length > 0) {
      if (Object.hasOwn(members, first)) return own(members[first] ?? {}, rest.join("."))
    } else if (Object.hasOwn(values, first)) return own(values, first)
  }
  return undefined
}

const written = (value: Value): string =>
  typeof value === "string" || typeof value === "number"
    ? String(value)
    : Array.isArray(value)
      ? value.map((one) => labelled(one)).join(", ")
      : ""

const labelled = (value: Value): string =>
  typeof value === "object" && value !== null && "name" in value
    ? `${written(value["name"])}=${written(value["."])}`
    : written(value)

const isEmpty = (value: Value): boolean =>
  value === undefined || value === null || value === "" || value === 0 || (Array.isArray(value) && value.length === 0)

/** Writes a template with the words of a message; cut at `max` characters. A template with a fault stays empty. */
const write = (source: string, message: Outgoing, max: number): string => {
  const parsed = parse(source)
  if ("fault" in parsed) return ""
  const alerts = (message.incident?.alerts ?? []).map((alert) => alertScope(alert))
  let output = ""
  let steps = 0
  const over = () => output.length > max || steps > stepsMax
  const items = (path: ReadonlyArray<string>, scopes: ReadonlyArray<Scope>): ReadonlyArray<Scope> => {
    if (path.length === 1 && path[0] === "alerts") return alerts
    const value = find(scopes, path)
    if (isEmpty(value)) return []
    if (!Array.isArray(value)) return [{ values: { ".": value }, members: {} }]
    return (value as ReadonlyArray<Value>).map((one) => ({
      values: typeof one === "object" && one !== null ? (one as { readonly [name: string]: Value }) : { ".": one },
      members: {}
    }))
  }
  const visit = (parts: ReadonlyArray<Part>, scopes: ReadonlyArray<Scope>): void => {
    for (const part of parts) {
      steps += 1
      if (over()) return
      if (part._tag === "Text") output += part.text
      else if (part._tag === "Name") output += written(find(scopes, part.path))
      else {
        const found = items(part.path, scopes)
        if (part.inverted) {
          if (found.length === 0) visit(part.parts, scopes)
          continue
        }
        for (const one of found) {
          steps += 1
          if (over()) return
          visit(part.parts, [one, ...scopes])
        }
      }
    }
  }
  visit(parsed, [messageScope(message)])
  return cut(output, max)
}

/** The message in the words of a template. What comes out empty stays as it was. */
export const applied = (template: Template | undefined, message: Outgoing): Outgoing => {
  if (template === undefined) return message
  const title =
    template.title === undefined ? "" : write(template.title, message, titleMax).replace(/\s+/gu, " ").trim()
  const text = template.text === undefined ? "" : write(template.text, message, textMax)
  return { ...message, ...(title === "" ? {} : { title }), ...(text.trim() === "" ? {} : { text }) }
}
