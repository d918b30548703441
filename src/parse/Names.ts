/**
 * What words mean as names of fields, under OpenTelemetry's names: `rhost`, `client_ip` and `clientip` are all
 * `client.address`. Two tables: `own` for lines whose fields are named (JSON, logfmt), where only what everybody asks for
 * is renamed, and `prose` for names found in running text, where a word means something only if it is known.
 */

const tableOf = (rows: string): ReadonlyMap<string, string> => {
  const table = new Map<string, string>()
  for (const row of rows.trim().split("\n")) {
    const [name, words] = row.trim().split(": ") as [string, string]
    for (const word of words.split(" ")) table.set(word, name)
  }
  return table
}

/** Keys are lower case, without `_ - @ . $`. */
const own = tableOf(`
  client.address: clientip clientaddr clientaddress clientipaddress remoteip remoteaddr remoteaddress remoteipaddress sourceipaddress calleripaddress rhost fwd ip ipaddr ipaddress peerip peeraddr
  source.address: srcip srcaddr sourceaddress
  source.port: srcport sport sourceport
  destination.address: dstip dstaddr destip destinationip destinationaddress
  destination.port: dstport dport destport destinationport
  host.name: hostname host
  process.pid: pid processid
  thread.name: thread threadname
  user_agent.original: useragent httpuseragent
  container.id: containerid
  k8s.pod.name: podname
`)

/** Objects that several loggers put the fields of the host or the process in are left as they are. */
export const ownName = (plain: string, value: unknown): string | undefined => {
  const name = own.get(plain)
  if (name === undefined) return undefined
  if (name === "process.pid") return typeof value === "number" || /^\d{1,10}$/u.test(String(value)) ? name : undefined
  if (name.endsWith(".port")) return /^\d{1,5}$/u.test(String(value)) ? name : undefined
  return typeof value === "string" && value !== "" ? name : undefined
}

/** In running text: names before `=`, before a quoted value, or at the head of a bracket. */
export const prose = tableOf(`
  client.address: client clientip client_ip clientaddr oip remote remote_addr remote_address remoteaddress remoteip remote_ip rhost rip ip ipaddress ip_address ip-address source_ip addr clientaddress
  user.name: user username user_name login account accountname acct accountid suser set_id principal principalname
  source.address: src srcip src_ip source srcaddr
  destination.address: dst dest dstip dst_ip dest_ip dstaddr destination
  source.port: spt sport src_port srcport
  destination.port: dpt dport dst_port dest_port dstport
  client.port: rport client_port remote_port
  server.address: lip server localaddress local_addr server_ip
  server.port: server_port
  network.transport: proto protocol transport
  process.pid: pid
  thread.id: tid
  host.name: host hostname
  url.path: uri path
  url.full: url
  http.request.line: request
  user_agent.original: useragent user_agent user-agent ua agent
  http.request.header.referer: referer referrer
  http.response.status_code: status status_code code
  http.request.method: method
  http.response.body.size: length
  file.path: file filename
  db.namespace: database db dbname
  db.collection.name: relation table collection
  db.user: role
  process.command_line: command cmd exe
  event.reason: reason
  input: input
  password: password passwd
  origin: origin
  upstream: upstream
  sent_to: sent-to
  gzip_ratio: gzip
  session.id: session sessionid session_id
  channel: channel
  message: msg
  trace: trace trace_id traceid span_id spanid traceparent
`)

/** Words before an address that make it the client's or the server's. */
export const clientCues = new Set(
  "from client ip ip-address clientip rhost remote peer by host address addr connection for ip:".split(" ")
)
export const serverCues = new Set("to server dst dest destination -> lip".split(" "))
/** Behind `user` these are no names. */
export const noName = new Set(
  (
    "a an and are as at by can cannot could data does for from had has have id in info input is it logged login mode name not " +
    "of on or session space that the to via was which who will with agent group account authentication failed error " +
    "nonexistent unknown invalid illegal email password"
  ).split(" ")
)
export const userCues = new Set("user username account".split(" "))
