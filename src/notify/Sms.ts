/** How much of a text fits into a short message: a segment holds 160 characters of GSM 03.38 or 70 of anything else. Pure. */
import { cut } from "../domain/Text.ts"

const plain = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
/** These take two places. */
const double = new Set("^{}\\[~]|€\f")

/** What has a plain brother, so that one dash doesn't more than halve what fits. */
const brothers: Readonly<Record<string, string>> = {
  "…": "...",
  "–": "-",
  "—": "-",
  "‘": "'",
  "’": "'",
  "“": '"',
  "”": '"',
  "·": "-",
  "→": ">",
  "≥": ">=",
  "≤": "<=",
  "\t": " ",
  "\u00a0": " "
}

const simple = (text: string): string =>
  text.toWellFormed().replaceAll(/[…–—‘’“”·→≥≤\t\u00a0]/gu, (sign) => brothers[sign] ?? sign)

/** Septets that a text takes, or undefined where it has a character that GSM 03.38 has not. */
const septets = (text: string): number | undefined => {
  let count = 0
  for (const sign of text) {
    if (plain.has(sign)) count += 1
    else if (double.has(sign)) count += 2
    else return undefined
  }
  return count
}

/** Segments that a text is sent in. */
export const segmentsOf = (text: string): number => {
  const size = septets(text)
  if (size !== undefined) return size <= 160 ? 1 : Math.ceil(size / 153)
  return text.length <= 70 ? 1 : Math.ceil(text.length / 67)
}

/** The longest cut of a text that still fits. */
const longest = (text: string, fits: (cutTo: string) => boolean): string => {
  let low = 0
  let high = text.length
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (fits(simple(cut(text, middle)))) low = middle
    else high = middle - 1
  }
  return simple(cut(text, low))
}

/** Characters that Twilio takes in one message. */
const charactersMax = 1_600

/** Title, text and address in at most so many segments; the address is kept whole where it leaves room for anything else. */
export const fit = (title: string, text: string, url: string | undefined, segments: number): string => {
  const head = simple([title, text].filter((part) => part.trim() !== "").join("\n")).slice(0, 4 * charactersMax)
  const fits = (whole: string) => segmentsOf(whole) <= segments && whole.length <= charactersMax
  const tail = url === undefined ? "" : `\n${simple(url)}`
  // Without room for half a segment of words the address would be all there is.
  const kept = fits(`${cut(head, 35)}${tail}`) ? tail : ""
  return `${longest(head, (part) => fits(part + kept))}${kept}`
}
