/**
 * The steps that time formats are compiled to: each reads one part of a time (a year, a zone, a fraction) from a text by
 * its character codes into registers, without allocating. Which steps make a format is Time.ts's part.
 */

export const day = 86_400_000

// Steps: a literal is its character code, the others are below zero.
export const [Y, y, m, d, H, M, S, e, k, n, S1, T, f, L, z, Z, p, s, K, B, A, X, blanks] = Array.from(
  { length: 23 },
  (_, index) => -1 - index
) as [number, ...Array<number>]
export const words: Readonly<Record<string, number | undefined>> = {
  "%Y": Y,
  "%y": y,
  "%m": m,
  "%d": d,
  "%H": H,
  "%M": M,
  "%S": S,
  "%e": e,
  "%k": k,
  "%n": n,
  "%S1": S1,
  "%T": T,
  "%f": f,
  "%L": L,
  "%z": z,
  "%Z": Z,
  "%p": p,
  "%s": s,
  "%K": K,
  "%b": B,
  "%a": A,
  "%x": X,
  _: blanks
}

export const isDigit = (code: number): boolean => code >= 48 && code <= 57
export const isLetter = (code: number): boolean => (code >= 97 && code <= 122) || (code >= 65 && code <= 90)
export const isBlank = (code: number): boolean => code === 32 || code === 9

/** Times are padded to columns, not to pages: every format that has blanks would walk along all of them. */
const maxBlanks = 16

const number = (text: string, at: number, digits: number): number => {
  let value = 0
  for (let i = at; i < at + digits; i++) {
    const code = text.charCodeAt(i)
    if (!(code >= 48 && code <= 57)) return -1
    value = value * 10 + code - 48
  }
  return value
}

const threeLetters = (text: string, at: number): number =>
  ((text.charCodeAt(at) | 32) << 16) | ((text.charCodeAt(at + 1) | 32) << 8) | (text.charCodeAt(at + 2) | 32)
const named = (names: string): ReadonlyMap<number, number> =>
  new Map(names.split(" ").map((name, index) => [threeLetters(name, 0), index + 1]))
const months = named("jan feb mar apr may jun jul aug sep oct nov dec")
const weekdays = named("mon tue wed thu fri sat sun")
/** Minutes east of Greenwich; RFC 822's names and the common European ones. */
const zones: Readonly<Record<string, number | undefined>> = {
  UTC: 0,
  GMT: 0,
  UT: 0,
  Z: 0,
  EST: -300,
  EDT: -240,
  CST: -360,
  CDT: -300,
  MST: -420,
  MDT: -360,
  PST: -480,
  PDT: -420,
  WET: 0,
  WEST: 60,
  BST: 60,
  CET: 60,
  CEST: 120,
  EET: 120,
  EEST: 180,
  MSK: 180,
  IST: 330,
  JST: 540,
  KST: 540,
  AEST: 600,
  AEDT: 660,
  NZST: 720,
  NZDT: 780,
  HST: -600,
  AKST: -540,
  AKDT: -480
}
/** A bit for each letter that one of the names begins with. */
const zoneLetters = Object.keys(zones).reduce((bits, name) => bits | (1 << (name.charCodeAt(0) - 65)), 0)

/** Days from 1970-01-01 of a civil date (Howard Hinnant's algorithm), and whether the date exists. */
const daysOf = (year: number, month: number, dom: number): number => {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yoe = shifted - era * 400
  const doy = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + dom - 1
  return era * 146_097 + yoe * 365 + Math.floor(yoe / 4) - Math.floor(yoe / 100) + doy - 719_468
}
const leap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const exists = (year: number, month: number, dom: number): boolean =>
  dom <= (month === 2 && leap(year) ? 29 : monthDays[month - 1]!)

// Registers of the scan under way.
export const at = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0, ms: 0, zone: 0, epoch: 0, letter: 0 }

const latestYear = (month: number, dom: number, inDay: number, now: number): number => {
  let year = new Date(now + day).getUTCFullYear()
  for (let tries = 0; tries < 9; tries++, year--) {
    if (exists(year, month, dom) && daysOf(year, month, dom) * day + inDay <= now + day) return year
  }
  return -1
}

/** The registers as epoch ms, or NaN when they are no moment. */
export const assemble = (now: number): number => {
  if (at.epoch >= 0) return at.epoch
  if (at.hour > 24 || at.minute > 59 || at.second > 60) return Number.NaN
  const inDay = ((at.hour * 60 + at.minute - at.zone) * 60 + Math.min(at.second, 59)) * 1000 + at.ms
  if (at.month === 0) {
    const today = Math.floor(now / day) * day + inDay
    return today > now + day / 2 ? today - day : today < now - day / 2 ? today + day : today
  }
  if (at.month < 1 || at.month > 12 || at.day < 1) return Number.NaN
  const year = at.year >= 0 ? at.year : latestYear(at.month, at.day, inDay, now)
  if (year < 1970 || !exists(year, at.month, at.day)) return Number.NaN
  return daysOf(year, at.month, at.day) * day + inDay
}

/** Epoch ms of a count of s, ms, µs or ns, told apart by size; NaN where it is none of them. */
export const fromEpoch = (value: number): number => {
  if (!(value >= 3e8 && value < 1e20)) return Number.NaN
  return Math.floor(value < 1e11 ? value * 1000 : value < 1e14 ? value : value < 1e17 ? value / 1000 : value / 1e6)
}

const fraction = (text: string, position: number): number => {
  let end = position + 1
  let ms = 0
  let scale = 100
  for (; end < position + 10 && isDigit(text.charCodeAt(end)); end++) {
    ms += (text.charCodeAt(end) - 48) * scale
    scale = Math.floor(scale / 10)
  }
  if (end === position + 1) return position
  at.ms = ms
  return end
}

const offset = (text: string, position: number): number => {
  let i = position
  let code = text.charCodeAt(i)
  if ((code === 90 || code === 122) && !isLetter(text.charCodeAt(i + 1))) return i + 1
  const spaced = code === 32
  if (spaced) code = text.charCodeAt(++i)
  if (code === 85 || code === 71) {
    const name = text.slice(i, i + 3)
    return (name === "UTC" || name === "GMT") && !isLetter(text.charCodeAt(i + 3)) ? i + 3 : position
  }
  if (code === 90 && spaced && at.year >= 0) {
    const next = text.charCodeAt(i + 1)
    if (!isLetter(next) && !isDigit(next)) return i + 1
  }
  if (code >= 65 && code <= 90) {
    // Behind a time without year stands syslog's host.
    return spaced && at.year >= 0 && ((zoneLetters >> (code - 65)) & 1) === 1 ? upperName(text, position) : position
  }
  if (code !== 43 && code !== 45) return position
  const hours = number(text, i + 1, 2)
  const colon = text.charCodeAt(i + 3) === 58 ? 1 : 0
  const minutes = number(text, i + 3 + colon, 2)
  if (hours < 0 || hours > 18 || (minutes < 0 && (spaced || colon === 1)) || minutes > 59) return position
  at.zone = (code === 45 ? -1 : 1) * (hours * 60 + Math.max(minutes, 0))
  return minutes < 0 ? i + 3 : i + 5 + colon
}

/** A zone by its name of three or four capitals. All end in T, K or C, and no level does: most words are not cut out. */
const upperName = (text: string, position: number): number => {
  let end = position + 1
  while (end < position + 6 && text.charCodeAt(end) >= 65 && text.charCodeAt(end) <= 90) end++
  const letter = text.charCodeAt(end - 1)
  if (end < position + 4 || end > position + 5 || (letter !== 84 && letter !== 75 && letter !== 67)) return position
  const next = text.charCodeAt(end)
  // At the end, or before one of: blank, tab, ) , : ] |
  const apart = isBlank(next) || next === 41 || next === 44 || next === 58 || next === 93 || next === 124
  return apart || end === text.length ? zoneName(text, position) : position
}

const zoneName = (text: string, position: number): number => {
  if (text.charCodeAt(position) !== 32) return position
  let end = position + 1
  while (end < position + 6 && isLetter(text.charCodeAt(end))) end++
  const zone = zones[text.slice(position + 1, end)]
  if (zone === undefined) return position
  at.zone = zone
  return end
}

const meridiem = (text: string, position: number): number => {
  const i = text.charCodeAt(position) === 32 ? position + 1 : position
  const code = text.charCodeAt(i) | 32
  if ((code !== 97 && code !== 112) || (text.charCodeAt(i + 1) | 32) !== 109 || isLetter(text.charCodeAt(i + 2))) {
    return position
  }
  at.hour = (at.hour % 12) + (code === 112 ? 12 : 0)
  return i + 2
}

const epoch = (text: string, position: number): number => {
  let end = position
  while (end < position + 20 && isDigit(text.charCodeAt(end))) end++
  const digits = end - position
  if (digits !== 10 && digits !== 13 && digits !== 16 && digits !== 19) return -1
  at.epoch = fromEpoch(Number(text.slice(position, end)))
  if (digits === 10 && text.charCodeAt(end) === 46) {
    const after = fraction(text, end)
    at.epoch += at.ms
    return after
  }
  return end
}

/** One or two digits after any blanks into `value`; -1 where there are none. */
let value = 0
const short = (text: string, position: number): number => {
  let i = position
  while (i < position + maxBlanks && text.charCodeAt(i) === 32) i++
  value = number(text, i, 2)
  if (value >= 0) return i + 2
  value = number(text, i, 1)
  return value < 0 ? -1 : i + 1
}

const name = (text: string, position: number, names: ReadonlyMap<number, number>): number => {
  const index = names.get(threeLetters(text, position))
  if (index === undefined) return -1
  value = index
  let end = position + 3
  while (end < position + 10 && isLetter(text.charCodeAt(end))) end++
  return end
}

/** One step; answers the position after it, or -1. */
export const take = (step: number, text: string, i: number): number => {
  switch (step) {
    case Y:
      return (at.year = number(text, i, 4)) < 0 ? -1 : i + 4
    case y:
      at.year = number(text, i, 2)
      if (at.year < 0) return -1
      at.year += at.year < 70 ? 2000 : 1900
      return i + 2
    case m:
      return (at.month = number(text, i, 2)) <= 0 ? -1 : i + 2
    case d:
      return (at.day = number(text, i, 2)) < 0 ? -1 : i + 2
    case H:
      return (at.hour = number(text, i, 2)) < 0 ? -1 : i + 2
    case M:
      return (at.minute = number(text, i, 2)) < 0 ? -1 : i + 2
    case S:
      return (at.second = number(text, i, 2)) < 0 ? -1 : i + 2
    case T: {
      const code = text.charCodeAt(i)
      return code === 84 || code === 32 || code === 116 ? i + 1 : -1
    }
    case f: {
      const code = text.charCodeAt(i)
      return code === 46 || code === 44 ? fraction(text, i) : i
    }
    case z:
      return offset(text, i)
    case Z:
      return zoneName(text, i)
    case p:
      return meridiem(text, i)
    case s:
      return epoch(text, i)
    case blanks: {
      let end = i
      while (end < i + maxBlanks && isBlank(text.charCodeAt(end))) end++
      return end === i ? -1 : end
    }
    default:
      return takeWord(step, text, i)
  }
}

const takeWord = (step: number, text: string, i: number): number => {
  let end = -1
  switch (step) {
    case e:
      end = short(text, i)
      at.day = value
      return end
    case k:
      end = short(text, i)
      at.hour = value
      return end
    case n:
      end = short(text, i)
      at.minute = value
      return end
    case S1:
      end = short(text, i)
      at.second = value
      return end
    case B:
      end = name(text, i, months)
      at.month = value
      return end
    case A:
      return name(text, i, weekdays)
    case K: {
      const code = text.charCodeAt(i)
      if (code !== 73 && code !== 87 && code !== 69 && code !== 70 && code !== 68) return -1
      at.letter = code
      return i + 1
    }
    case L: {
      let digits = 0
      while (digits < 3 && isDigit(text.charCodeAt(i + digits))) digits++
      at.ms = number(text, i, digits)
      return digits === 0 ? -1 : i + digits
    }
    case X: {
      const slash = short(text, i)
      const first = value
      if (slash < 0 || text.charCodeAt(slash) !== 47) return -1
      end = short(text, slash + 1)
      at.month = first > 12 ? value : first
      at.day = first > 12 ? first : value
      return end
    }
    default:
      return text.charCodeAt(i) === step ? i + 1 : -1
  }
}
