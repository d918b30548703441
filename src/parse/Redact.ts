/**
 * Masks secrets before anything is stored, published or sent: built-in rules that a project can switch one by one, and rules
 * of its own. Pure; an event without secrets comes back as it is, and a second pass changes nothing that the built-in rules
 * masked. It can't know a secret that looks like any other word.
 */
import type { LogEvent } from "../domain/LogEvent.ts"
import { type Redaction, type RedactionRule, redactionNames, redactionRules } from "../domain/Redaction.ts"
import { type CustomFinder, compileRule } from "./redact/Custom.ts"
import { type Edit, type Finder, applied, mask, merged } from "./redact/Edit.ts"
import { commandLines, namedValues, ruleOfName } from "./redact/Named.ts"
import { cards, emails, isCard, optional } from "./redact/Personal.ts"
import { groups, scan } from "./redact/Scan.ts"
import * as Shapes from "./redact/Shapes.ts"

export { luhn } from "./redact/Personal.ts"

/** What one rule masks in one text. */
export interface Hit {
  readonly rule: string
  /** UTF-16 units of the text as it was: the first one, and the one behind the last. */
  readonly from: number
  readonly to: number
}

export interface Redactor {
  /**
   * The event with its secrets masked; the same object when it has none. What stands in `masked`, a text that this redactor
   * has masked, is not looked at again.
   */
  readonly event: (event: LogEvent, masked?: string) => LogEvent
  /** The text with its secrets masked. */
  readonly text: (text: string) => string
  /** The same, with what was masked by which rule. */
  readonly explain: (text: string) => { readonly text: string; readonly hits: ReadonlyArray<Hit> }
}

/** A rule of a project that can't be used. */
export interface RuleFault {
  /** Its place in `custom`. */
  readonly index: number
  readonly fault: string
}

/** In the order in which they are asked: of two rules that mask the same stretch the earlier is named. */
const finders: ReadonlyArray<readonly [group: number, finder: Finder]> = [
  [groups.pem, Shapes.privateKeys],
  [groups.jwt, Shapes.jwts],
  [groups.vendor, Shapes.vendorKeys],
  [groups.sendgrid, Shapes.sendgridKeys],
  [groups.twilio, Shapes.twilioKeys],
  [groups.named, namedValues],
  [groups.cli, commandLines],
  [groups.url, Shapes.urlCredentials],
  [groups.query, Shapes.urlQueries],
  [groups.bearer, Shapes.bearers],
  [groups.basic, Shapes.basics],
  [groups.card, cards],
  [groups.email, emails],
  [groups.rest, optional]
]

interface Name {
  readonly rule: RedactionRule | undefined
  /** The name itself, masked. */
  readonly text: string
}
const namesMax = 4_096
/** Structured data of syslog is named by an enterprise's number: `exampleSDID@32473.iut` is nobody's address. */
const networkId = /^[^@\s]{1,32}@\d{1,10}\.[^@\s]{1,32}$/u
/** Only keys as short as people write them are remembered, or a sender could fill the memory with long ones. */
const nameLengthMax = 64

const isOn = (settings: Redaction, rule: RedactionRule): boolean => settings.builtIn[rule] ?? redactionRules[rule].on

/** A secret under a telling name goes whole, whatever it is made of; what can be none stays, as `pass=12 fail=3`. */
const maskWhole = (value: unknown, rule: RedactionRule): unknown =>
  value === null ||
  value === "" ||
  typeof value === "boolean" ||
  value === undefined ||
  (isCount(value) && rule !== "card")
    ? value
    : mask
/** Up to three digits, as in running text. */
const isCount = (value: unknown): boolean => typeof value === "number" && value >= 0 && value < 1000

class Masks implements Redactor {
  readonly on: ReadonlySet<RedactionRule>
  readonly custom: ReadonlyArray<CustomFinder>
  /** Groups that are looked for whatever the scan says. */
  readonly always: number
  readonly names = new Map<string, Name>()
  readonly isOn = (rule: RedactionRule): boolean => this.on.has(rule)

  constructor(settings: Redaction, custom: ReadonlyArray<CustomFinder>) {
    this.on = new Set(redactionNames.filter((rule) => isOn(settings, rule)))
    this.custom = custom
    this.always = this.on.has("iban") || this.on.has("us_ssn") ? groups.rest : 0
  }

  edits(text: string): ReadonlyArray<Edit> {
    const suspected = scan(text) | this.always
    if (suspected === 0 && this.custom.length === 0) return none
    const edits: Array<Edit> = []
    if (suspected !== 0)
      for (const [group, find] of finders) if ((suspected & group) !== 0) find(text, this.isOn, edits)
    for (const find of this.custom) find(text, edits)
    return merged(edits)
  }

  text = (text: string): string => {
    const edits = this.edits(text)
    return edits.length === 0 ? text : applied(text, edits)
  }

  explain = (text: string) => {
    const edits = this.edits(text)
    return { text: applied(text, edits), hits: edits.map(({ from, rule, to }) => ({ rule, from, to })) }
  }

  /** The text that the event in hand was cut out of, if it was masked before. */
  masked: string | undefined

  event = (event: LogEvent, masked?: string): LogEvent => {
    this.masked = masked
    const message = this.fresh(event.message)
    const service = event.service === "" ? "" : this.fresh(event.service)
    const attributes = this.object(event.attributes)
    return message === event.message && attributes === event.attributes && service === event.service
      ? event
      : { ...event, message, service, attributes }
  }

  fresh(text: string): string {
    return this.masked?.includes(text) === true ? text : this.text(text)
  }

  name(key: string): Name {
    const known = this.names.get(key)
    if (known !== undefined) return known
    const rule = ruleOfName(key)
    const made = {
      rule: rule !== undefined && this.on.has(rule) ? rule : undefined,
      text: networkId.test(key) ? key : this.text(key)
    }
    if (key.length <= nameLengthMax) {
      if (this.names.size >= namesMax) this.names.clear()
      this.names.set(key, made)
    }
    return made
  }

  value(value: unknown): unknown {
    if (typeof value === "string") return this.fresh(value)
    if (typeof value === "number") {
      return value > 1e13 && this.on.has("card") && Number.isSafeInteger(value) && isCard(String(value)) ? mask : value
    }
    if (typeof value !== "object" || value === null) return value
    if (Array.isArray(value)) {
      let copy: Array<unknown> | undefined
      for (const [index, item] of value.entries()) {
        const clean = this.value(item)
        if (clean !== item) (copy ??= [...(value as Array<unknown>)])[index] = clean
      }
      return copy ?? value
    }
    return this.object(value as Readonly<Record<string, unknown>>)
  }

  /** The rule of `{ "name": "DB_PASSWORD", "value": "…" }`, as lists of headers and environments have them. */
  labelled({ key, name }: Readonly<Record<string, unknown>>): RedactionRule | undefined {
    const label = name ?? key
    return typeof label === "string" ? this.name(label).rule : undefined
  }

  object(object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    let copy: Record<string, unknown> | undefined
    for (const key in object) {
      const value = object[key]
      const { rule: own, text } = this.name(key)
      const rule = own ?? (key === "value" ? this.labelled(object) : undefined)
      const clean = rule === undefined ? this.value(value) : maskWhole(value, rule)
      if (clean === value && text === key) continue
      copy ??= { ...object }
      if (text !== key) delete copy[key]
      copy[text] = clean
    }
    return copy ?? object
  }
}

const none: ReadonlyArray<Edit> = []

/** What a project that has said nothing has. */
export const defaultRedaction: Redaction = { builtIn: {}, custom: [] }

/** A redactor of these settings. Rules of the project that can't be used are told, and left out. */
export const make = (
  settings: Redaction
): { readonly redactor: Redactor; readonly faults: ReadonlyArray<RuleFault> } => {
  const faults: Array<RuleFault> = []
  const custom: Array<CustomFinder> = []
  for (const [index, rule] of settings.custom.entries()) {
    const compiled = compileRule(rule)
    if (compiled.ok) custom.push(compiled.find)
    else faults.push({ index, fault: compiled.fault })
  }
  return { redactor: new Masks(settings, custom), faults }
}

const byDefault = make(defaultRedaction).redactor

/** The text with its secrets masked by the rules that are on from the start. */
export const redactText = byDefault.text
/** The event with its secrets masked by the rules that are on from the start; the same object when it has none. */
export const redact = byDefault.event
