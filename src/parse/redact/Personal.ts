/** What belongs to people: card numbers, e-mail addresses, bank accounts, social security numbers. */
import { type Finder, eachMatch, mask } from "./Edit.ts"

/** In place of the part before the `@`: the domain stays, so lines still group, and nothing of the name can be guessed back. */
export const emailMask = "[email]"

const card = /(?<![\w.-])(?:\d{14,16}|\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{4}|\d{4}[ -]\d{6}[ -]\d{4,5})(?![\w-]|\.\d)/gu
/** Beginnings and lengths that issuers use. */
const issued =
  /^(?:4\d{15}|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|6(?:011|5\d\d|4[4-9]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}|35\d{14})$/u

/** Whether the digits pass the check that card numbers carry (ISO/IEC 7812). */
export const luhn = (digits: string): boolean => {
  let sum = 0
  for (let i = digits.length - 1, double = false; i >= 0; i--, double = !double) {
    const digit = digits.charCodeAt(i) - 48
    sum += double ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit
  }
  return sum % 10 === 0
}

/** Whether these digits are a card's. */
export const isCard = (digits: string): boolean => issued.test(digits) && luhn(digits)

export const cards: Finder = (text, on, edits) => {
  if (!on("card")) return
  eachMatch(card, text, (match, end) => {
    if (isCard(match[0].replace(/[ -]/gu, ""))) edits.push({ from: match.index, to: end, text: mask, rule: "card" })
  })
}

/** Letters and digits of any script, and what addresses have beside them. */
const isLocal = (code: number): boolean =>
  (code >= 97 && code <= 122) ||
  (code >= 65 && code <= 90) ||
  (code >= 48 && code <= 57) ||
  code === 46 ||
  code === 95 ||
  code === 45 ||
  code === 43 ||
  code === 37 ||
  code === 39 ||
  code > 191
const localMax = 64
const domain = /((?:[\p{L}\d](?:[\p{L}\d-]{0,61}[\p{L}\d])?\.){1,8})(\p{L}{2,24}|xn--[a-z\d-]{2,59})(?![\p{L}\d_-])/uy
/** Ends of units, files and hosts that stand behind an `@` as often as domains do. */
const noDomain =
  /^(?:service|socket|target|mount|automount|timer|slice|scope|device|path|swap|png|jpe?g|gif|svg|webp|ico|js|mjs|cjs|ts|tsx|jsx|css|map|json|tgz|gz|zip|jar|war|whl|deb|rpm|so|dll|exe|py|rb|go|rs|java|txt|md|html?|xml|ya?ml|toml|log|conf|local|localdomain|internal|lan)$/iu
/** Users that are programs: `git@github.com:org/repo`, `root@db1.example.com`. */
const noPerson = /^(?:git|hg|svn|root|ubuntu|ec2-user|postgres|mysql|www-data|nobody)$/iu

export const emails: Finder = (text, on, edits) => {
  if (!on("email")) return
  for (let at = text.indexOf("@"); at !== -1; at = text.indexOf("@", at + 1)) {
    let from = at
    while (from > 0 && at - from < localMax && isLocal(text.charCodeAt(from - 1))) from--
    // What begins a sentence or ends a quotation is no part of the name.
    while (from < at && (text.charCodeAt(from) === 39 || text.charCodeAt(from) === 46)) from++
    // `%40` and the like: an escape in front belongs to what is before it.
    if (from === at) continue
    domain.lastIndex = at + 1
    const found = domain.exec(text)
    if (found === null || noDomain.test(found[2] ?? "") || !/\p{L}/u.test(text.slice(from, at) + (found[1] ?? "")))
      continue
    if (noPerson.test(text.slice(from, at))) continue
    edits.push({ from, to: at, text: emailMask, rule: "email" })
  }
}

const iban = /(?<![\w-])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![\w-])/gu

/** ISO 13616: the rest of the number, taken as digits, by 97 must be 1. */
const isIban = (text: string): boolean => {
  const plain = text.replaceAll(" ", "")
  if (plain.length < 15 || plain.length > 34) return false
  let rest = 0
  for (const char of plain.slice(4) + plain.slice(0, 4)) {
    const value = Number.parseInt(char, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest === 1
}

const ssn = /(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])/gu

export const optional: Finder = (text, on, edits) => {
  if (on("iban")) {
    eachMatch(iban, text, (match, end) => {
      if (isIban(match[0])) edits.push({ from: match.index, to: end, text: mask, rule: "iban" })
    })
  }
  if (on("us_ssn")) {
    eachMatch(ssn, text, (match, end) => edits.push({ from: match.index, to: end, text: mask, rule: "us_ssn" }))
  }
}
