/** The table of a run, for people: on a terminal and in a README. */
import { ratioOf, type Row } from "./Row.ts"

export const shown = (value: number | undefined): string => {
  if (value === undefined || Number.isNaN(value)) return "–"
  const size = Math.abs(value)
  if (size >= 100) return Math.round(value).toLocaleString("en")
  return size >= 10 || Number.isInteger(value)
    ? value.toFixed(size >= 10 && !Number.isInteger(value) ? 1 : 0)
    : value.toFixed(2)
}

const ratioText = (row: Row, peer: string): string => {
  const [ours, other] = [row.values["loglytics"], row.values[peer]]
  if (ours === undefined || other === undefined || ours === 0 || other === 0 || row.unit === "×") return ""
  const ratio = ratioOf(ours, other, row.lessIsBetter)
  if (Number.isNaN(ratio)) return ""
  return `${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(ratio >= 0.1 ? 1 : 2)} ×`
}

const cells = (rows: ReadonlyArray<Row>, peers: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> => [
  ["", "must", "loglytics", ...peers.flatMap((p) => [p, "better by"]), ""],
  ...rows.map((r) => [
    `${r.metric}${r.unit === "" ? "" : ` (${r.unit})`}`,
    r.must,
    shown(r.values["loglytics"]),
    ...peers.flatMap((p) => [shown(r.values[p]), ratioText(r, p)]),
    r.holds === undefined ? "" : r.holds ? "ok" : "short"
  ])
]

/** Columns padded to the widest cell. */
export const plain = (rows: ReadonlyArray<Row>, peers: ReadonlyArray<string>): string => {
  const all = cells(rows, peers)
  const widths = (all[0] ?? []).map((_, i) => Math.max(...all.map((line) => line[i]?.length ?? 0)))
  const pad = (cell: string, i: number) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))
  return all.map((line) => line.map(pad).join("  ").trimEnd()).join("\n")
}

export const markdown = (rows: ReadonlyArray<Row>, peers: ReadonlyArray<string>): string => {
  const [head = [], ...body] = cells(rows, peers)
  const line = (c: ReadonlyArray<string>) => `| ${c.join(" | ")} |`
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...body.map(line)].join("\n")
}
