/** Charts as PNG. No font of the machine is asked for: charts have no text. */
import { Resvg } from "@resvg/resvg-js"
import { type Chart, toSvg } from "./Charts.ts"

/** `zoom`: pixels per unit of the chart; 2 is sharp on most screens. */
export const toPng = (chart: Chart, zoom = 2): Uint8Array =>
  new Resvg(toSvg(chart), { font: { loadSystemFonts: false }, fitTo: { mode: "zoom", value: zoom } }).render().asPng()
