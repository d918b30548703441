/** Trace and span ids in running text: `trace_id=…`, `trace=…`, `traceparent: 00-…-…-01`, in the head of a line. */

const maxHead = 4000
const pattern =
  /\b(trace_?id|span_?id|trace|traceparent)["']?[=:]\s?["']?(?:00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}|([0-9a-f]{32}|[0-9a-f]{16}))\b/giu

export interface Ids {
  traceId?: string | undefined
  spanId?: string | undefined
}

/** Adds the ids that `text` names to `ids`; what is there already stays. */
export const traces = (text: string, ids: Ids): void => {
  if (!text.includes("race") && !text.includes("pan") && !text.includes("RACE")) return
  for (const [, name, trace, span, id] of text.slice(0, maxHead).matchAll(pattern)) {
    if (trace !== undefined) {
      ids.traceId ??= trace.toLowerCase()
      ids.spanId ??= span!.toLowerCase()
    } else if (name!.toLowerCase().startsWith("trace")) {
      if (id!.length === 32) ids.traceId ??= id!.toLowerCase()
    } else if (id!.length === 16) ids.spanId ??= id!.toLowerCase()
  }
}
