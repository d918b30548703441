/**
 * When templates that differ in one word are one. Pure decisions; finding such templates is Miner.ts' part. A few constant
 * words around are evidence that the sentence is the same, many values in one place that the place is a variable.
 */
import type { Template } from "./Template.ts"
import { gap, name, type Units, weak, word } from "./Units.ts"

/** How many templates must differ in one word before it counts as a variable, by the number of other words. */
const siblings = [Infinity, Infinity, 5, 4]
/** The same where each of them is a dotted name, a host name, a path, or variable by its looks. */
const nameSiblings = 3

/** Words of a message, names included. */
export const wordsOf = ({ kinds, size }: Units): number => {
  let words = 0
  for (let i = 0; i < size; i++) if (kinds[i] === word || kinds[i] === name) words++
  return words
}

const firstWord = ({ kinds, size }: Units): number => {
  for (let i = 0; i < size; i++) if (kinds[i] !== gap) return i
  return -1
}

const looksVariable = (kind: number): boolean => kind === name || kind >= weak

/** Whether `others`, which differ from `units` in the word at `place` only, are enough to take it for a variable. */
export const enough = (units: Units, place: number, others: ReadonlyArray<Template>): boolean => {
  const named = looksVariable(units.kinds[place]!) && others.every(({ kinds }) => looksVariable(kinds[place]!))
  // What a message begins with says what happened.
  if (!named && place === firstWord(units)) return false
  const words = wordsOf(units)
  return others.length + 1 >= (named ? nameSiblings : siblings[Math.min(words - 1, siblings.length - 1)]!)
}
