/** What the bytes of a followed file tell: where lines and events end, and whether it is still the file that it was. */
import { createHash } from "node:crypto"
import { type FileHandle, open } from "node:fs/promises"
import * as Multiline from "../../parse/Multiline.ts"

/** Longest line, bytes; a longer one is cut there. */
export const lineMax = 256 * 1024

/** What is saved of a file. */
export interface Mark {
  readonly path: string
  readonly position: number
  readonly headLength: number
  readonly head: string
  /** Tells contents of one inode apart: another after it was emptied or written anew. */
  readonly generation?: string
  /** Where the range ends that is being handed over. */
  readonly upTo?: number | undefined
  /** Whether the position lies within a line that was too long. */
  readonly cut?: boolean
}

/** What first bytes are known by. */
export const digest = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("base64url").slice(0, 22)

/** Up to so many bytes from a position. */
export const readAt = async (handle: FileHandle, position: number, length: number): Promise<Buffer> => {
  const buffer = Buffer.allocUnsafe(length)
  const { bytesRead } = await handle.read(buffer, 0, length, position)
  return buffer.subarray(0, bytesRead)
}

/** Whether a file is still the one that a mark was made of. */
export const isSame = async (
  handle: FileHandle,
  mark: Pick<Mark, "position" | "head" | "headLength">,
  size: number
): Promise<boolean> => {
  if (size < mark.position) return false
  return mark.headLength === 0 || digest(await readAt(handle, 0, mark.headLength)) === mark.head
}

/** The same for what lies under a name. */
export const isStill = async (path: string, mark: Mark): Promise<boolean> => {
  await using handle = await open(path, "r")
  return await isSame(handle, mark, (await handle.stat()).size)
}

/** Where the line that is under way at the end of the file begins. */
export const lastLine = async (handle: FileHandle, size: number): Promise<number> => {
  const from = Math.max(0, size - lineMax)
  const newline = (await readAt(handle, from, size - from)).lastIndexOf(10)
  return newline === -1 ? (from === 0 ? 0 : size) : from + newline + 1
}

/**
 * The events in bytes that begin with a line (or, after a cut, within one) and how many bytes they take; the last event stays
 * behind unless it is known to be whole, or there is no room for more of it.
 */
export const eventsOf = (
  bytes: Buffer,
  cut: boolean,
  multiline: boolean,
  whole: boolean,
  full: boolean
): { readonly lines: ReadonlyArray<string>; readonly taken: number } => {
  const lines: Array<string> = []
  const starts: Array<number> = []
  for (let at = 0; at < bytes.length;) {
    const newline = bytes.indexOf(10, at)
    const end = newline === -1 ? bytes.length : newline
    const text = bytes.toString("utf8", at, end > at && bytes[end - 1] === 13 ? end - 1 : end)
    if (text.trim() !== "") {
      lines.push(at === 0 && cut ? `${Multiline.continued}${text}` : text)
      starts.push(at)
    }
    at = end + 1
  }
  if (!multiline) return { lines, taken: bytes.length }
  const assembler = Multiline.make()
  const events = assembler.push(lines)
  const held = assembler.held()
  if (held === 0 || whole || (full && events.length === 0)) {
    return { lines: [...events, ...assembler.end()], taken: bytes.length }
  }
  return { lines: events, taken: starts.at(-held) ?? 0 }
}
