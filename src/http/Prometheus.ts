/** The text format of Prometheus, as far as series of numbers go. */

export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

/** A label's value, as it may stand between quotes. */
export const escapeLabel = (value: string | number): string =>
  String(value).replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")

/** One metric with its samples. */
export const series = (name: string, type: "gauge" | "counter", help: string, samples: ReadonlyArray<Sample>): string =>
  [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(({ labels, value }) => {
      const pairs = Object.entries(labels).map(([label, v]) => `${label}="${escapeLabel(v)}"`)
      return `${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}`
    })
  ].join("\n")

/** One gauge. */
export const gauge = (name: string, help: string, samples: ReadonlyArray<Sample>): string =>
  series(name, "gauge", help, samples)
