/**
 * One event is one finding: where all lines change alike the whole is told and not its parts; where one part makes most of the
 * change, the part. Pure.
 */
import { material, type Stretch } from "./Stretches.ts"
import { type Counted, subjectOf } from "./Tell.ts"

export interface Judged {
  readonly counted: Counted
  readonly odd: Stretch
}

/** Part of a difference that makes it the part's own, and how near the factors of a part and the whole are alike. */
const partMin = 0.5
const alikeMax = 3

const overlap = (a: Stretch, b: Stretch): boolean => a.from < b.to && b.from < a.to
const apart = ({ expected, got }: Stretch): number => got - expected
const times = ({ expected, got }: Stretch): number => (got + 1) / (expected + 1)
const stopped = ({ expected, got }: Stretch): boolean => got * 10 < expected
const sameWay = (a: Stretch, b: Stretch): boolean => apart(a) > 0 === apart(b) > 0

/** Most of what differs in the whole is this one part, and the rest is as ever: then the part is the finding. */
const makes = (part: Stretch, whole: Stretch): boolean => {
  if (!overlap(part, whole) || apart(part) / apart(whole) < partMin) return false
  const rest = { got: Math.max(0, whole.got - part.got), expected: Math.max(0, whole.expected - part.expected) }
  return rest.got > rest.expected !== apart(whole) > 0 || !material(rest.got, rest.expected)
}

/** The part does what the whole does: then the whole is the finding. */
const follows = (part: Stretch, whole: Stretch): boolean => {
  if (!overlap(part, whole) || !sameWay(part, whole)) return false
  const alike = times(part) / times(whole)
  return (alike < alikeMax && alike > 1 / alikeMax) || (stopped(part) && stopped(whole))
}

const ofErrors = ({ counted }: Judged): boolean => counted._tag !== "Template" && counted.what === "errors"

/** All lines, services and templates, as they are to be told: a pattern may be what makes a service's difference, too. */
const linesOf = (whole: ReadonlyArray<Judged>, parts: ReadonlyArray<Judged>): ReadonlyArray<Judged> => {
  const templates = parts.filter(({ counted }) => counted._tag === "Template")
  const services = parts.filter(({ counted }) => counted._tag !== "Template")
  const isMade = ({ odd }: Judged, by: ReadonlyArray<Judged>) => by.some((part) => makes(part.odd, odd))
  const left = whole.filter((one) => !isMade(one, parts))
  const free = ({ odd }: Judged) => !left.some((all) => follows(odd, all.odd))
  const told = services.filter((one) => free(one) && !isMade(one, templates))
  const within = ({ odd }: Judged) => told.some((service) => follows(odd, service.odd) && !makes(odd, service.odd))
  return [...left, ...told, ...templates.filter((one) => free(one) && !within(one))]
}

/** Errors of many services at once are one event, whatever their factors: the whole names them. */
const errorsOf = (whole: ReadonlyArray<Judged>, parts: ReadonlyArray<Judged>): ReadonlyArray<Judged> => {
  const left = whole.filter(({ odd }) => !parts.some((part) => makes(part.odd, odd)))
  const within = (odd: Stretch) => left.filter((all) => overlap(odd, all.odd) && sameWay(odd, all.odd))
  return [
    ...left.map(({ counted, odd }): Judged => {
      if (counted._tag !== "All") return { counted, odd }
      const mine = parts.filter((part) => overlap(part.odd, odd) && sameWay(part.odd, odd))
      const of = mine
        .toSorted((a, b) => Math.abs(apart(b.odd)) - Math.abs(apart(a.odd)))
        .flatMap((part) => (part.counted._tag === "Service" ? [[part.counted.service, part.odd.got] as const] : []))
      return { counted: { ...counted, of }, odd }
    }),
    ...parts.filter(({ odd }) => within(odd).length === 0)
  ]
}

/** Whether both tell of the same series at the same time. */
export const isSame = (a: Judged, b: Judged): boolean =>
  overlap(a.odd, b.odd) && subjectOf(a.counted) === subjectOf(b.counted)

/** Of all that is odd what is to be told. */
export const events = (all: ReadonlyArray<Judged>): ReadonlyArray<Judged> => {
  const isWhole = ({ counted }: Judged): boolean => counted._tag === "All"
  const errors = all.filter(ofErrors)
  // More lines of a service that are its errors are told as these.
  const isErrors = ({ counted, odd }: Judged): boolean =>
    counted._tag === "Service" &&
    errors.some(
      (one) => one.counted._tag === "Service" && one.counted.service === counted.service && makes(one.odd, odd)
    )
  const lines = all.filter((one) => !ofErrors(one) && !isErrors(one))
  return [
    ...linesOf(
      lines.filter(isWhole),
      lines.filter((one) => !isWhole(one))
    ),
    ...errorsOf(
      errors.filter(isWhole),
      errors.filter((one) => !isWhole(one))
    )
  ]
}
