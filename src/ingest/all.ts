/**
 * All ways in: sources that connections may name, followers of what is on this host, and protocols that bodies are written
 * in. A new one is a file in sources/ or protocols/ and a line here.
 */
import type { Connection } from "../domain/Connection.ts"
import type { Asked, Door, Protocol } from "./Protocol.ts"
import * as forwardFrames from "./protocols/forward.ts"
import * as syslogFrames from "./protocols/syslog.ts"
import { datadog } from "./protocols/datadog.ts"
import { elastic } from "./protocols/elastic.ts"
import { gelf } from "./protocols/gelf.ts"
import { loki } from "./protocols/loki.ts"
import { makeLineDecoder } from "./protocols/ndjson.ts"
import { otlp } from "./protocols/otlp.ts"
import { splunk } from "./protocols/splunk.ts"
import type { Source } from "./Source.ts"
import { azure_monitor } from "./sources/azure_monitor.ts"
import { cloudwatch } from "./sources/cloudwatch.ts"
import { follow } from "./sources/file_tail.ts"
import { listen as forward } from "./sources/forward.ts"
import { gcp_logging } from "./sources/gcp_logging.ts"
import { http_pull } from "./sources/http_pull.ts"
import { consume as kafka } from "./sources/kafka.ts"
import { listen as syslog } from "./sources/syslog.ts"

export const sources: Readonly<Record<Connection["kind"], Source>> = {
  http_pull,
  cloudwatch,
  gcp_logging,
  azure_monitor
}
export const followers = { file_tail: follow }
/** Listeners and consumers of the role `serve`, where their settings name them (main/Listeners). */
export const listeners = { syslog, forward, kafka }
/** How these cut a connection into messages. */
export const framings = { syslog: syslogFrames.Framer, forward: forwardFrames.readMessage }
export const protocols = { ndjson: makeLineDecoder }
/** Protocols of other products, in the order in which they are asked whether a request is theirs. */
export const spoken: ReadonlyArray<Protocol> = [otlp, loki, elastic, splunk, datadog, gelf]

/** The door that a request is for, or undefined where it speaks none of them. */
export const doorOf = (asked: Asked): Door | undefined => {
  for (const protocol of spoken) {
    const door = protocol.door(asked)
    if (door !== undefined) return door
  }
  return undefined
}
