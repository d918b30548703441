/**
 * Letters for a PDF: those that every reader has, and for others a font of this machine that has them, of which the letters used
 * go into the file. Promises that any text can be written; what no font has is shown as "?". Reads fonts once per process.
 */
import { readdirSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import type PDFDocument from "pdfkit"

type Document = InstanceType<typeof PDFDocument>
export type Face = "plain" | "bold" | "mono"

const builtIn: Readonly<Record<Face, string>> = { plain: "Helvetica", bold: "Helvetica-Bold", mono: "Courier" }
const folders = [
  "/usr/share/fonts",
  "/usr/local/share/fonts",
  join(homedir(), ".local/share/fonts"),
  "/Library/Fonts",
  "/System/Library/Fonts",
  String.raw`C:\Windows\Fonts`
]
/** Fonts of many scripts first, then those of one; others are left alone, opening them takes time. */
const wanted = [
  /^DejaVuSans\.ttf$/u,
  /^NotoSans-Regular\.ttf$/u,
  /^NotoSansCJK-Regular\.ttc$/u,
  /^(?:Arial Unicode|arialuni|unifont)\.ttf$/u,
  /^(?:wqy-|NotoSansCJK|NotoSans(?:JP|KR|SC|TC)|DroidSansFallback|msyh|msgothic|malgun).*\.(?:ttf|ttc|otf)$/u,
  /^NotoSans(?:Arabic|Hebrew|Devanagari|Bengali|Thai|Tamil|Telugu|Georgian|Armenian|Ethiopic)-Regular\.ttf$/u,
  /^NotoEmoji-Regular\.ttf$/u
]
const fontsMax = 24

/** Letters that the built-in fonts have. */
const isLatin = /^[\u0020-\u007E\u00A0-\u00FF–—‘’“”•…€™]*$/u

let files: ReadonlyArray<string> | undefined
const filesOf = (): ReadonlyArray<string> => {
  const all = folders.flatMap((folder) => {
    try {
      return readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name))
    } catch {
      return []
    }
  })
  const name = (file: string): string => file.slice(Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1)
  return wanted.flatMap((pattern) => all.filter((file) => pattern.test(name(file)))).slice(0, fontsMax)
}

/** What of a font is asked here. */
interface Opened {
  readonly hasGlyphForCodePoint?: (code: number) => boolean
}
/** The font that was set last: pdfkit's types don't tell of it. */
const openedOf = (doc: Document): Opened => (doc as unknown as { _font?: { font?: Opened } })._font?.font ?? {}

/** Fonts of one document. */
export class Fonts {
  readonly #doc: Document
  /** By file; undefined where it can't be opened. */
  readonly #known = new Map<string, Opened | undefined>()

  /** Whether the font that was set last is bold where bold was asked for: those of the machine are not. */
  isBold = true

  constructor(doc: Document) {
    this.#doc = doc
  }

  #use(file: string): void {
    // Of a collection any: they differ in a few letters' shapes only.
    if (file.endsWith("NotoSansCJK-Regular.ttc")) this.#doc.font(file, "NotoSansCJKjp-Regular")
    else this.#doc.font(file)
  }

  #open(file: string): Opened | undefined {
    if (!this.#known.has(file)) {
      try {
        this.#use(file)
        const opened = openedOf(this.#doc)
        this.#known.set(file, opened.hasGlyphForCodePoint === undefined ? undefined : opened)
      } catch {
        this.#known.set(file, undefined)
      }
    }
    return this.#known.get(file)
  }

  /** Sets the font for this text and gives the text as it can be written in it. */
  set(face: Face, size: number, text: string): string {
    const clean = text.replaceAll(/\p{C}/gu, " ")
    this.isBold = true
    if (isLatin.test(clean)) {
      this.#doc.font(builtIn[face]).fontSize(size)
      return clean
    }
    const codes = [...new Set(clean)].map((letter) => letter.codePointAt(0)!)
    let best: { readonly file: string; readonly font: Opened; readonly has: number } | undefined
    for (const file of (files ??= filesOf())) {
      const font = this.#open(file)
      if (font === undefined) continue
      const has = codes.filter((code) => font.hasGlyphForCodePoint!(code)).length
      if (best === undefined || has > best.has) best = { file, font, has }
      if (has === codes.length) break
    }
    const plain = clean.replaceAll("−", "-").replaceAll(/[≥≤×]/gu, (sign) => ({ "≥": ">=", "≤": "<=" })[sign] ?? "x")
    const latin = plain.replaceAll(/[^\u0020-\u007E\u00A0-\u00FF–—‘’“”•…€™]/gu, "?")
    if (best === undefined || isLatin.test(plain)) {
      this.#doc.font(builtIn[face]).fontSize(size)
      return latin
    }
    this.#use(best.file)
    this.#doc.fontSize(size)
    this.isBold = face !== "bold"
    return Array.from(clean, (letter) => (best.font.hasGlyphForCodePoint!(letter.codePointAt(0)!) ? letter : "?")).join(
      ""
    )
  }
}
