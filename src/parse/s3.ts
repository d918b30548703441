/** Server access logs of Amazon S3: words in a fixed order, the time in brackets. The line is the message. */
import { levelOfStatus, putRequest } from "./Http.ts"
import { type Parser, event } from "./Parser.ts"
import { put, putAll, putEndpoint, typed, wordsOf } from "./Scan.ts"
import { timeOfText } from "./Time.ts"

const behind = [
  "http.response.status_code", "error.type", "http.response.body.size", "aws.s3.object_size", "duration_ms",
  "aws.s3.turn_around_time_ms", "http.request.header.referer", "user_agent.original", "aws.s3.version_id",
  "aws.s3.host_id", "aws.s3.signature_version", "tls.cipher", "aws.s3.authentication_type", "server.address",
  "tls.protocol.version", "aws.s3.access_point_arn"
] // prettier-ignore

export const s3: Parser = {
  name: "aws_s3",
  about: "Amazon S3 server access logs",
  fields:
    "client.address aws.s3.bucket aws.s3.key aws.s3.operation http.response.status_code user_agent.original duration_ms",
  begins: "0a",
  parse: (line, now) => {
    // The owner's id of 64 hex digits, the bucket, the time.
    if (line.charCodeAt(64) !== 32 || !/^[0-9a-f]{64} \S{3,63} \[/u.test(line)) return undefined
    const words = wordsOf(line, 0, 30)
    if (words.length < 16) return undefined
    const time = timeOfText(words[2]!, now)
    if (Number.isNaN(time)) return undefined
    const attributes: Record<string, unknown> = { "aws.s3.owner": words[0], "aws.s3.bucket": words[1] }
    putEndpoint(attributes, "client", words[3])
    put(attributes, "user.id", words[4])
    put(attributes, "http.request.id", words[5])
    put(attributes, "aws.s3.operation", words[6])
    put(attributes, "aws.s3.key", words[7])
    putRequest(attributes, words[8]!)
    putAll(attributes, behind, words.slice(9))
    const status = typed(words[9]!)
    const level = typeof status === "number" ? levelOfStatus(status) : "info"
    return event({ time, level, service: "s3", message: line, attributes }, now)
  }
}
