/**
 * What programs that write to syslog say in words of their own, by the program's name: sudo's and cron's commands, su and
 * login, PAM's sessions, Postfix' queue ids and answers, DHCP's leases, the kernel's killer. Running text of any program
 * is Embedded.ts's part.
 */
import { put, putEndpoint, typed } from "./Scan.ts"

type Attributes = Record<string, unknown>
/** The groups of a pattern, in turn, as attributes; the first pattern that matches tells. */
type Telling = readonly [RegExp, ...ReadonlyArray<string>]

const session: Telling = [
  /^pam_\w{1,20}\([\w.-]{1,40}:session\): session (?:opened|closed) for user ([\w.@\\-]{1,64})/u,
  "user.name"
]
const cron: ReadonlyArray<Telling> = [
  [/^\(([^)]{1,64})\) (?:CMD|CMDOUT|CMDEND) \((.{1,2048})\)$/u, "user.name", "process.command_line"],
  session
]
const tellings: Readonly<Record<string, ReadonlyArray<Telling>>> = {
  sudo: [
    [
      /^ {0,8}(\S{1,64}) : (?:[^;]{1,80} ; )?TTY=(\S{1,64}) ; PWD=([^;]{1,512}) ; USER=(\S{1,64}) ;(?: [A-Z]{3,6}=[^;]{0,512} ;){0,3} COMMAND=(.{1,2048})$/u,
      "user.name",
      "process.tty",
      "process.working_directory",
      "user.effective.name",
      "process.command_line"
    ],
    session
  ],
  cron,
  crond: cron,
  su: [
    [/^(?:FAILED SU )?\(to (\S{1,64})\) (\S{1,64}) on (\S{1,64})$/u, "user.effective.name", "user.name", "process.tty"],
    [
      /^'su (\S{1,64})' (?:failed|succeeded) for (\S{1,64}) on (\S{1,64})$/u,
      "user.effective.name",
      "user.name",
      "process.tty"
    ],
    session
  ],
  login: [
    [
      /^FAILED LOGIN (?:SESSION )?(?:\(?\d{1,4}\)? )?(?:on|FROM) '?([^' ]{1,64})'?(?: from '([^']{1,255})')? FOR '?([^',]{1,64})'?/u,
      "process.tty",
      "client.address",
      "user.name"
    ],
    session
  ],
  sshd: [
    [
      /^(?:Accepted|Failed) ([\w/-]{1,40}) for .{1,200} port \d{1,5} ssh2(?:: ([\w-]{2,20} SHA256:\S{20,64}))?/u,
      "ssh.auth_method",
      "ssh.key_fingerprint"
    ],
    session
  ],
  "systemd-logind": [
    [/^New session (\S{1,16}) of user ([^\s.]{1,64})\./u, "session.id", "user.name"],
    [/^Session (\S{1,16}) logged out/u, "session.id"]
  ],
  dhcpd: [
    [/^DHCP(?:ACK|OFFER) (?:on|to) ([\d.]{7,15}) (?:to )?\(?([0-9a-f:]{17})\)?/u, "client.address", "client.mac"],
    [
      /^DHCP(?:REQUEST|RELEASE|DECLINE) (?:for|of) ([\d.]{7,15}) .{0,40}from ([0-9a-f:]{17})/u,
      "client.address",
      "client.mac"
    ],
    [/^DHCPDISCOVER from ([0-9a-f:]{17})/u, "client.mac"]
  ],
  kernel: [
    [
      /(?:Out of memory|Memory cgroup out of memory): Kill(?:ed)? process (\d{1,10}) \(([^)]{1,64})\)/u,
      "process.pid",
      "process.name"
    ]
  ],
  postfix: [
    [/^([0-9A-F]{6,15}|(?=[0-9A-Za-z]*\d)[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,20}|NOQUEUE): /u, "postfix.queue_id"]
  ]
}
const answer = /: ([245]\d\d) (\d\.\d{1,3}\.\d{1,3}) |\(([245]\d\d)[ -](\d\.\d{1,3}\.\d{1,3})? ?/u
const relay = /\brelay=([\w.-]{1,255})\[([0-9a-fA-F.:]{2,45})\](?::(\d{1,5}))?/u

const postfix = (text: string, attributes: Attributes): void => {
  const said = answer.exec(text)
  put(attributes, "smtp.response.code", typed(said?.[1] ?? said?.[3] ?? ""))
  const to = relay.exec(text)
  if (to === null) return
  attributes["relay"] = to[1]
  attributes["destination.address"] = to[2]
  put(attributes, "destination.port", typed(to[3] ?? ""))
}

const maxText = 4096

/** Adds what the text says, where its program is known. */
export const toldBy = (program: string, text: string, attributes: Attributes): void => {
  const slash = program.indexOf("/")
  const name = (slash === -1 ? program : program.slice(0, slash)).toLowerCase()
  if (!Object.hasOwn(tellings, name)) return
  const head = text.length > maxText ? text.slice(0, maxText) : text
  for (const [pattern, ...names] of tellings[name]!) {
    const parts = pattern.exec(head)
    if (parts === null) continue
    for (const [index, key] of names.entries()) {
      const value = parts[index + 1]
      if (key === "client.address") putEndpoint(attributes, "client", value)
      else put(attributes, key, key === "process.pid" ? typed(value ?? "") : value)
    }
    break
  }
  if (name === "postfix") postfix(head, attributes)
}
