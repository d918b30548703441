/**
 * Flow logs of AWS VPCs in the default format (version 2, fourteen words). Other selections of fields are read through
 * their header line, like any table (csv.ts). The line is the message.
 */
import { type Parser, event } from "./Parser.ts"
import { type Endpoint, count, endpointOf, putAll } from "./Scan.ts"
import { fromEpoch } from "./Time.ts"

export const flowNames: Readonly<Record<string, string>> = {
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
  "flow-direction": "network.direction"
}
const standard = Object.values(flowNames).slice(0, 14)
const transports: Readonly<Record<string, string>> = { 1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6" }

/** The transport's name beside its number. */
export const putTransport = (attributes: Record<string, unknown>): void => {
  const transport = transports[String(attributes["network.protocol.number"])]
  if (transport !== undefined) attributes["network.transport"] = transport
}

const isPeer = (word: string): Endpoint | true | undefined => (word === "-" ? true : endpointOf(word))

export const vpcFlow: Parser = {
  name: "aws_vpc_flow",
  about: "AWS VPC flow logs, default fields",
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
