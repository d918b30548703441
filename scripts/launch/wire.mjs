/**
 * Just enough of the Redis and Postgres protocols to ask a server who it is, with nothing installed. Real work goes
 * through the real clients.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto"
import { connect, createServer } from "node:net"

/** @typedef {import("node:net").Socket} Socket */

/**
 * One conversation over TCP: sends `hello`, hands all that came so far to `read` until it returns an answer.
 * @template A
 * @param {{ host: string, port: number, withinMs: number }} where
 * @param {(socket: Socket) => void} hello
 * @param {(received: Buffer, socket: Socket) => A | undefined} read may throw
 * @returns {Promise<A>}
 */
const converse = ({ host, port, withinMs }, hello, read) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port })
    /** @type {Buffer} */
    let received = Buffer.alloc(0)
    /** @param {unknown} [error] */
    const fail = (error) => {
      clearTimeout(timer)
      socket.destroy()
      reject(error instanceof Error ? error : new Error("the connection was closed"))
    }
    const timer = setTimeout(() => fail(new Error(`no answer within ${withinMs} ms`)), withinMs)
    socket.on("connect", () => hello(socket))
    socket.on("error", fail)
    socket.on("close", fail)
    socket.on("data", (/** @type {Buffer} */ data) => {
      received = Buffer.concat([received, data])
      try {
        const answer = read(received, socket)
        if (answer === undefined) return
        clearTimeout(timer)
        socket.destroy()
        resolve(answer)
      } catch (error) {
        fail(error)
      }
    })
  })

/** A port that nobody uses now; `wanted` if it is free. @param {number} [wanted] @returns {Promise<number>} */
export const freePort = (wanted = 0) =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.on("error", (error) => (wanted === 0 ? reject(error) : resolve(freePort(0))))
    server.listen(wanted, "127.0.0.1", () => {
      const address = server.address()
      const port = address !== null && typeof address === "object" ? address.port : 0
      server.close(() => resolve(port))
    })
  })

/** One RESP reply (string, error, number, or flat array of strings) if it is whole. @param {Buffer} buffer @param {number} at
 * @returns {{ value: string | ReadonlyArray<string>, next: number } | undefined} */
const reply = (buffer, at) => {
  const end = buffer.indexOf("\r\n", at)
  if (end < 0) return undefined
  const kind = String.fromCharCode(buffer[at] ?? 0)
  const text = buffer.toString("utf8", at + 1, end)
  if (kind === "-") throw new Error(text)
  if (kind === "$") {
    const from = end + 2
    const to = from + Number(text)
    return buffer.length < to + 2 ? undefined : { value: buffer.toString("utf8", from, to), next: to + 2 }
  }
  if (kind !== "*") return { value: text, next: end + 2 }
  const items = []
  let next = end + 2
  for (let i = 0; i < Number(text); i++) {
    const item = reply(buffer, next)
    if (!item) return undefined
    items.push(String(item.value))
    next = item.next
  }
  return { value: items, next }
}

/**
 * Asks a Redis on this machine who it is. @param {number} port @param {{ password?: string | undefined, withinMs?: number }} [options]
 * @returns {Promise<{ pid: number, version: string, folder: string }>}
 */
export const askRedis = (port, { password, withinMs = 2_000 } = {}) =>
  converse(
    { host: "127.0.0.1", port, withinMs },
    (socket) => socket.write(`${password ? `AUTH ${password}` : "PING"}\r\nINFO server\r\nCONFIG GET dir\r\n`),
    (received) => {
      const greeting = reply(received, 0)
      const info = greeting && reply(received, greeting.next)
      const dir = info && reply(received, info.next)
      if (!dir) return undefined
      const field = (/** @type {string} */ name) =>
        new RegExp(`^${name}:(.*)$`, "mu").exec(String(info.value))?.[1]?.trim()
      return {
        pid: Number(field("process_id")),
        version: `${field("valkey_version") ? "Valkey " : "Redis "}${field("valkey_version") ?? field("redis_version") ?? "?"}`,
        folder: dir.value[1] ?? ""
      }
    }
  )

/** @param {string} type one letter, or "" for the first message @param {Buffer} body */
const message = (type, body) => {
  const head = Buffer.alloc(type.length + 4)
  head.write(type)
  head.writeInt32BE(body.length + 4, type.length)
  return Buffer.concat([head, body])
}

/** @param {Buffer} received @returns {{ type: string, body: Buffer }[]} the whole messages */
const messages = (received) => {
  const found = []
  for (let at = 0; at + 5 <= received.length;) {
    const end = at + 1 + received.readInt32BE(at + 1)
    if (end > received.length) break
    found.push({ type: String.fromCharCode(received[at] ?? 0), body: received.subarray(at + 5, end) })
    at = end
  }
  return found
}

/** The first column of a DataRow. @param {Buffer} body */
const column = (body) => {
  const length = body.readInt32BE(2)
  return length < 0 ? "" : body.toString("utf8", 6, 6 + length)
}

/** @param {string | Buffer} key @param {string} text */
const hmac = (key, text) => createHmac("sha256", key).update(text).digest()

/**
 * Our side of a login by password (SCRAM-SHA-256): what to answer to each authentication message. The password itself is
 * never sent, and a server that does not know it is refused.
 * @param {string} password
 * @returns {(body: Buffer) => Buffer | undefined}
 */
const login = (password) => {
  const nonce = randomBytes(18).toString("base64")
  const first = `n=,r=${nonce}`
  let proofOfServer = ""
  return (body) => {
    const kind = body.readInt32BE(0)
    const text = body.toString("utf8", 4)
    if (kind === 0) return undefined
    if (kind === 10 && text.split("\0").includes("SCRAM-SHA-256")) {
      const hello = Buffer.from(`n,,${first}`)
      const size = Buffer.alloc(4)
      size.writeInt32BE(hello.length)
      return message("p", Buffer.concat([Buffer.from("SCRAM-SHA-256\0"), size, hello]))
    }
    if (kind === 11) {
      const [, both = "", salt = "", rounds = ""] = /^r=([^,]+),s=([^,]+),i=(\d+)/u.exec(text) ?? []
      if (!both.startsWith(nonce)) throw new Error("the server's login makes no sense")
      const salted = pbkdf2Sync(password, Buffer.from(salt, "base64"), Number(rounds), 32, "sha256")
      const key = hmac(salted, "Client Key")
      const last = `c=biws,r=${both}`
      const said = `${first},${text},${last}`
      const signature = hmac(createHash("sha256").update(key).digest(), said)
      proofOfServer = hmac(hmac(salted, "Server Key"), said).toString("base64")
      const proof = Buffer.from(key.map((byte, at) => byte ^ (signature[at] ?? 0))).toString("base64")
      return message("p", Buffer.from(`${last},p=${proof}`))
    }
    if (kind === 12 && proofOfServer !== "" && text === `v=${proofOfServer}`) return undefined
    throw new Error("the server wants a login that is not ours")
  }
}

/**
 * Runs one statement as `postgres` on a Postgres of this machine, and returns the first column of each row.
 * @param {number} port @param {string} sql @param {{ password?: string | undefined, database?: string, withinMs?: number }} [options]
 * @returns {Promise<ReadonlyArray<string>>}
 */
export const askPostgres = (port, sql, { database = "postgres", password = "", withinMs = 5_000 } = {}) => {
  const answer = login(password)
  let answered = 0
  let asked = false
  return converse(
    { host: "127.0.0.1", port, withinMs },
    (socket) => {
      const version = Buffer.from([0, 3, 0, 0])
      socket.write(message("", Buffer.concat([version, Buffer.from(`user\0postgres\0database\0${database}\0\0`)])))
    },
    (received, socket) => {
      const all = messages(received)
      const error = all.find(({ type }) => type === "E")
      if (error) {
        const fields = error.body.toString("utf8").split("\0")
        throw new Error(fields.find((field) => field.startsWith("M"))?.slice(1) ?? "refused")
      }
      for (const { body } of all.filter(({ type }) => type === "R").slice(answered)) {
        answered++
        const next = answer(body)
        if (next) socket.write(next)
      }
      const ready = all.filter(({ type }) => type === "Z").length
      if (ready === 1 && !asked) {
        asked = true
        socket.write(message("Q", Buffer.from(`${sql}\0`)))
      }
      return ready < 2 ? undefined : all.filter(({ type }) => type === "D").map(({ body }) => column(body))
    }
  )
}

/**
 * Whether something listens where a URL points. @param {string} host @param {number} port @param {number} [withinMs]
 * @returns {Promise<string | undefined>} why not, or undefined when it does
 */
export const reachable = (host, port, withinMs = 3_000) =>
  new Promise((resolve) => {
    const socket = connect({ host, port })
    /** @param {string | undefined} answer */
    const end = (answer) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => end(`no answer within ${withinMs} ms`), withinMs)
    socket.on("connect", () => end(undefined))
    socket.on("error", (error) => end(/** @type {NodeJS.ErrnoException} */ (error).code ?? error.message))
  })
