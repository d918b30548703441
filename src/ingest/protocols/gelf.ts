/** Graylog's GELF over HTTP: one message in JSON a request, which the formats read. */
import { type Door, jsonReply, type Protocol, type Refusal, type Reply, statusOf } from "../Protocol.ts"
import { notAnObject } from "./Rejections.ts"

const refuse = ({ message, reason }: Refusal): Reply => jsonReply(statusOf[reason], { message })

const door: Protocol["door"] = ({ method, path }): Door | undefined => {
  if (path !== "/gelf" || method !== "POST") return undefined
  return {
    refuse,
    read: ({ bytes }) => {
      const line = bytes.toString("utf8")
      const fault = notAnObject(line)
      return fault === undefined
        ? { events: [{ line }], accept: () => ({ status: 202, headers: {}, body: "" }) }
        : { reason: "malformed", message: fault }
    }
  }
}

export const gelf: Protocol = { name: "gelf", door }
