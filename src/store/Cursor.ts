/** Where a page of search results ended, as an opaque word for the client. Pure; a word we did not make is refused. */
import { Data, Result } from "effect"

/** The cursor of a request is none that a search gave. */
export class CursorInvalid extends Data.TaggedError("CursorInvalid")<{ readonly cursor: string }> {
  override get message(): string {
    return `expected the \`next\` of an earlier page as cursor, got ${JSON.stringify(this.cursor.slice(0, 80))}`
  }
}

/** The last event of a page; the next page begins after it. */
export interface Position {
  readonly time: number
  readonly seq: string
}

/** Years 1 to 9999, epoch ms, which both Postgres and JavaScript can say. */
export const timeMin = -62_135_596_800_000
export const timeMax = 253_402_300_799_999

const shape = /^1:(-?\d{1,15}):(\d{1,18})$/u

export const encode = (position: Position): string =>
  Buffer.from(`1:${position.time}:${position.seq}`).toString("base64url")

export const decode = (cursor: string): Result.Result<Position, CursorInvalid> => {
  const parts = cursor.length <= 64 ? shape.exec(Buffer.from(cursor, "base64url").toString("latin1")) : null
  const position = parts && { time: Number(parts[1]), seq: parts[2]! }
  // A cursor behind a line at either end lies one millisecond beyond it.
  const sound = position && position.time >= timeMin - 1 && position.time <= timeMax + 1
  return sound && encode(position) === cursor ? Result.succeed(position) : Result.fail(new CursorInvalid({ cursor }))
}
