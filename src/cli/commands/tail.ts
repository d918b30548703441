/** `loglytics tail [QUERY]`: lines as they are stored, by the WebSocket `/live`; reconnects and goes on where it was. */
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { WebSocket } from "ws"
import type { Level } from "../../domain/Level.ts"
import type { StoredEvent } from "../../domain/LogEvent.ts"
import type { ServerMessage } from "../../live/Protocol.ts"
import { CliFailure, line, server } from "../context.ts"
import * as flags from "../flags.ts"

const colours: Readonly<Record<Level, number>> = {
  unknown: 37,
  trace: 90,
  debug: 90,
  info: 32,
  warn: 33,
  error: 31,
  fatal: 35
}
/** Control characters of a log line must not steer the terminal. */
// oxlint-disable-next-line no-control-regex -- control characters are what this removes
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/gu

const show = (event: StoredEvent, json: boolean): void => {
  if (json) return line(JSON.stringify(event))
  const level = event.level.toUpperCase().padEnd(7)
  const painted = process.stdout.isTTY ? `\u001b[${colours[event.level]}m${level}\u001b[0m` : level
  line(
    `${event.time} ${painted} ${event.service === "" ? "" : `${event.service}: `}${event.message}`.replace(
      control,
      (c) => (c === "\u001b" && process.stdout.isTTY ? c : "·")
    )
  )
}

const session = (
  to: { readonly url: string; readonly key: string },
  subscription: { readonly project: string; readonly query: string; readonly after: string | undefined },
  on: (message: ServerMessage) => void
) =>
  Effect.callback<void, CliFailure>((resume) => {
    const socket = new WebSocket(`${to.url.replace(/^http/u, "ws")}/live`, {
      headers: { authorization: `Bearer ${to.key}` }
    })
    let refused: string | undefined
    socket.on("open", () => socket.send(JSON.stringify({ type: "subscribe", topic: "tail", ...subscription })))
    socket.on("message", (raw) => {
      const message = JSON.parse((raw as Buffer).toString()) as ServerMessage
      if (message.type === "error" && message.code !== "unavailable") {
        refused = message.message
        socket.close()
      } else on(message)
    })
    socket.on("error", (error) => process.stderr.write(`${to.url} can't be reached: ${error.message}; trying again\n`))
    socket.on("close", () =>
      resume(refused === undefined ? Effect.void : Effect.fail(new CliFailure({ message: refused })))
    )
    return Effect.sync(() => socket.terminate())
  })

export const tail = Command.make(
  "tail",
  {
    query: Argument.String("query").pipe(
      Argument.withDescription('search language, for example "level:>=warn timeout"'),
      Argument.withDefault("")
    ),
    lines: Flag.Int("lines").pipe(
      Flag.withAlias("n"),
      Flag.withDefault(10),
      Flag.withDescription("stored lines to begin with")
    ),
    project: flags.project,
    url: flags.url,
    key: flags.key,
    json: flags.json
  },
  Effect.fnUntraced(function* ({ json, key, lines, project, query, url }) {
    const to = yield* server({ url, key })
    let after: string | undefined
    /** The newest line shown; a project's ids grow. */
    let newest = 0n
    const on = (message: ServerMessage): void => {
      if (message.type === "gap") process.stderr.write("lines may be missing here: they are no longer kept\n")
      if (message.type === "skipped")
        process.stderr.write(`${message.count} lines skipped: this terminal is too slow\n`)
      if (message.type !== "snapshot" && message.type !== "event") return
      const events = (message.data as ReadonlyArray<StoredEvent>).filter(({ id }) => BigInt(id) > newest)
      // Lines to begin with; a snapshot that comes later holds what was missed.
      const isFirst = message.type === "snapshot" && after === undefined
      for (const event of isFirst ? events.slice(lines > 0 ? -lines : events.length) : events) show(event, json)
      newest = events.reduce((most, { id }) => (BigInt(id) > most ? BigInt(id) : most), newest)
      after = message.seq
    }
    for (;;) {
      yield* session(to, { project, query, after }, on)
      yield* Effect.sleep("1 second")
    }
  })
).pipe(Command.withDescription("Follow lines as they are stored"))
