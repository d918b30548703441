/**
 * Flow logs of AWS VPCs in the default format (version 2, fourteen words). Other selections of fields are read under
 * their header line, as the files in S3 have it. The line is the message.
 */
import type { LogEvent } from "../domain/LogEvent.ts"
import { type Parser, event } from "./Parser.ts"
import { type Endpoint, count, endpointOf, putAll } from "./Scan.ts"
import { fromEpoch } from "./Time.ts"

const flowNames: Readonly<Record<string, string>> = {
  version: "aws.vpc.flow_version",
  "account-id": "cloud.account.id",
  "interface-id": "network.interface.id",
  srcaddr: "source.address",
  dstaddr: "destination.address",
  srcport: "source.port",
  dstport: "destination.port",
  protocol: "network.protocol.number",
  packets: "network.packets",
  bytes: "network.bytes",
  start: "flow.start",
  end: "flow.end",
  action: "event.action",
  "log-status": "aws.vpc.log_status",
  "vpc-id": "aws.vpc.id",
  "subnet-id": "aws.vpc.subnet_id",
  "instance-id": "host.id",
  region: "cloud.region",
  "az-id": "cloud.availability_zone",
  "tcp-flags": "network.tcp.flags",
  "flow-direction": "network.direction",
  type: "network.type",
  "pkt-srcaddr": "aws.vpc.packet_source_address",
  "pkt-dstaddr": "aws.vpc.packet_destination_address",
  "pkt-src-aws-service": "aws.vpc.packet_source_service",
  "pkt-dst-aws-service": "aws.vpc.packet_destination_service",
  "sublocation-type": "aws.vpc.sublocation_type",
  "sublocation-id": "aws.vpc.sublocation_id",
  "traffic-path": "aws.vpc.traffic_path",
  "reject-reason": "event.reason"
}
const standard = Object.values(flowNames).slice(0, 14)
const transports: Readonly<Record<string, string>> = { 1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6" }

/** The transport's name beside its number. */
const putTransport = (attributes: Record<string, unknown>): void => {
  const transport = transports[String(attributes["network.protocol.number"])]
  if (transport !== undefined) attributes["network.transport"] = transport
}

const isPeer = (word: string): Endpoint | true | undefined => (word === "-" ? true : endpointOf(word))

/** Some tools write the names with underscores. */
const dashed = (column: string): string => column.replaceAll("_", "-")

/** Whether these are the columns of a flow log with fields of one's own choice. */
export const isFlow = (columns: ReadonlyArray<string>): boolean =>
  columns.length > 3 &&
  columns.every((column) => /^[a-z]{1,16}(?:[-_][a-z]{1,16}){0,4}$/u.test(column)) &&
  columns.some((column) => ["srcaddr", "pkt-srcaddr", "interface-id"].includes(dashed(column)))

/** The event of a row under such columns; undefined where it is none. */
export const flowRow = (columns: ReadonlyArray<string>, line: string, now: number): LogEvent | undefined => {
  const words = line.split(" ", columns.length + 1)
  if (words.length !== columns.length) return undefined
  const attributes: Record<string, unknown> = {}
  putAll(
    attributes,
    columns.map((column) => flowNames[dashed(column)] ?? `aws.vpc.${column}`),
    words
  )
  if (attributes["cloud.account.id"] !== undefined)
    attributes["cloud.account.id"] = words[columns.map(dashed).indexOf("account-id")]
  putTransport(attributes)
  const seconds = Number(attributes["flow.start"] ?? attributes["flow.end"])
  const level = attributes["event.action"] === "REJECT" ? "warn" : "info"
  return event({ time: seconds > 0 ? fromEpoch(seconds) : undefined, level, message: line, attributes }, now)
}

export const vpcFlow: Parser = {
  name: "aws_vpc_flow",
  about: "AWS VPC flow logs: the default fields, others under their header",
  fields:
    "source.address source.port destination.address destination.port network.transport network.bytes event.action",
  begins: "0",
  parse: (line, now) => {
    const blank = line.indexOf(" ")
    if (blank < 1 || blank > 2 || line.length > 400) return undefined
    const words = line.split(" ")
    if (words.length !== 14 || !/^\d{12}$|^unknown$/u.test(words[1]!) || count(words[10]) === undefined)
      return undefined
    if (isPeer(words[3]!) === undefined || isPeer(words[4]!) === undefined) return undefined
    const attributes: Record<string, unknown> = {}
    putAll(attributes, standard, words)
    putTransport(attributes)
    if (words[1] !== "unknown") attributes["cloud.account.id"] = words[1]
    const time = fromEpoch(Number(words[10]))
    return event({ time, level: words[12] === "REJECT" ? "warn" : "info", message: line, attributes }, now)
  }
}
