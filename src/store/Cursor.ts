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

const shape = /^1:(-?\d{1,15}):(\d{1,18})$/u

export const encode = (position: Position): string =>
  Buffer.from(`1:${position.time}:${position.seq}`).toString("base64url")

export const decode = (cursor: string): Result.Result<Position, CursorInvalid> => {
  const parts = cursor.length <= 64 ? shape.exec(Buffer.from(cursor, "base64url").toString("latin1")) : null
  const position = parts && { time: Number(parts[1]), seq: parts[2]! }
  return position && encode(position) === cursor ? Result.succeed(position) : Result.fail(new CursorInvalid({ cursor }))
}
