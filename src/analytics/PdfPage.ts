/** Writing on the pages of a PDF: text in its font and place, room for what must not be cut, page numbers. */
import type PDFDocument from "pdfkit"
import { type Face, Fonts } from "./PdfFonts.ts"

type Document = InstanceType<typeof PDFDocument>

export interface Style {
  readonly face?: Face
  readonly size: number
  readonly colour?: string
  readonly x?: number
  readonly width?: number
  readonly lineGap?: number
  readonly align?: "left" | "right"
  readonly link?: string
  /** What does not fit on one line is cut off. */
  readonly oneLine?: true
}

const headingInk = "#1c2430"

export class Page {
  static readonly margin = 50
  readonly doc: Document
  readonly left = Page.margin
  readonly width = 595.28 - 2 * Page.margin
  readonly #bottom = 841.89 - Page.margin - 16
  readonly #fonts: Fonts

  constructor(doc: Document) {
    this.doc = doc
    this.#fonts = new Fonts(doc)
  }

  get y(): number {
    return this.doc.y
  }
  set y(y: number) {
    this.doc.y = y
  }

  /** Begins a new page where `height` does not fit on this one; tells whether it did. */
  room(height: number): boolean {
    if (this.y + height <= this.#bottom) return false
    this.doc.addPage()
    return true
  }

  height(text: string, { face = "plain", lineGap = 0, size, width = this.width }: Style): number {
    return this.doc.heightOfString(this.#fonts.set(face, size, text), { width, lineGap })
  }

  /** Text in its lines from here on; moves below it. */
  text(text: string, style: Style): void {
    this.at(style.x ?? this.left, this.y, text, { width: this.width, ...style })
  }

  /** Text at a place; without a width on one line. Leaves `y` below it. */
  at(
    x: number,
    y: number,
    text: string,
    { align = "left", colour = headingInk, face = "plain", lineGap = 0, link, oneLine, size, width }: Style
  ): void {
    const written = this.#fonts.set(face, size, text)
    const thick = !this.#fonts.isBold
    if (thick) this.doc.lineWidth(size / 40).strokeColor(colour)
    this.doc.fillColor(colour).text(written, x, y, {
      fill: true,
      stroke: thick,
      lineGap,
      align,
      ...(width === undefined ? { lineBreak: false } : { width }),
      ...(oneLine === true ? { height: size, ellipsis: true } : {}),
      ...(link === undefined ? {} : { link })
    })
  }

  rule(x: number, y: number, width: number, thickness: number, colour: string): void {
    this.doc
      .moveTo(x, y)
      .lineTo(x + width, y)
      .lineWidth(thickness)
      .strokeColor(colour)
      .stroke()
  }

  /** A heading that stays with the first `height` of what follows. */
  heading(title: string, height: number): void {
    this.room(34 + height)
    this.y += 16
    this.text(title, { face: "bold", size: 13 })
    this.y += 5
  }

  /** Words and page numbers at the foot, once it is known how many there are. */
  numbers(words: string, colour: string): void {
    const { count: pages, start } = this.doc.bufferedPageRange()
    for (let i = start; i < start + pages; i++) {
      this.doc.switchToPage(i)
      // What is written below the margin would begin a new page.
      this.doc.page.margins.bottom = 0
      const y = this.#bottom + 14
      this.at(this.left, y, words, { size: 8, colour, width: this.width - 60, oneLine: true })
      this.at(this.left, y, `${i - start + 1} of ${pages}`, { size: 8, colour, width: this.width, align: "right" })
    }
  }
}
