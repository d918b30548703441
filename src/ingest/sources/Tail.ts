/**
 * The files that are being followed: which they are, where each stands and what is new in them. Knows a file by its
 * inode, not its name, so that one that is renamed is read to its end and the new one from its start; notices by size and
 * by the first bytes when a file was emptied or written anew in place. Speaks promises; the loop is file_tail's.
 *
 * Before a range of a file is handed over its end is saved (`plan`): after a crash the same range is read again, and so has
 * the same key and the same lines, whatever the file has grown by.
 */
import { createHash, randomUUID } from "node:crypto"
import { type FileHandle, glob, open, readFile, rename, stat, writeFile } from "node:fs/promises"
import { resolve } from "node:path"
import * as Multiline from "../../parse/Multiline.ts"

/** Bytes read at once. */
const readMax = 512 * 1024
/** Longest line, bytes; a longer one is cut there. */
const lineMax = 256 * 1024
/** Files followed at once. */
export const filesMax = 5_000
/** First bytes that a file is known by. */
const headMax = 256
/** First bytes in which a NUL tells a binary file. */
const sniffMax = 4096
/** How long a file that lost its name is still watched for late writes, ms. */
const lingerMs = 5000
/** How long an event whose last lines may be missing waits for them, ms. */
const quietMs = 1_000
/** A file in which nothing was new for so long is looked at only after each scan, ms. */
const idleMs = 60_000
const packed = /\.(?:gz|xz|zst|bz2|zip|tgz|lz4|7z|journal)$/iu

/** What is saved of a file. */
interface Mark {
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

interface File {
  readonly id: string
  path: string
  readonly handle: FileHandle
  position: number
  headLength: number
  head: string
  generation: string
  /** The range under way: where it ends, and the file's name when it was planned. */
  upTo: number | undefined
  upToPath: string
  cut: boolean
  size: number
  /** When the file lost its name, epoch ms. */
  goneAt: number | undefined
  /** When it grew, epoch ms. */
  grewAt: number
}

/** New events of one file; `next` is where it stands once they are taken. */
export interface Fresh {
  readonly file: File
  readonly path: string
  readonly lines: ReadonlyArray<string>
  readonly next: number
  /** Whether the last line goes on at `next`. */
  readonly cut: boolean
  /** Names the range: the same after a crash. */
  readonly key: string
}

const digest = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("base64url").slice(0, 22)

const readAt = async (handle: FileHandle, position: number, length: number): Promise<Buffer> => {
  const buffer = Buffer.allocUnsafe(length)
  const { bytesRead } = await handle.read(buffer, 0, length, position)
  return buffer.subarray(0, bytesRead)
}

/** Where the line that is under way at the end of the file begins. */
const lastLine = async (handle: FileHandle, size: number): Promise<number> => {
  const from = Math.max(0, size - lineMax)
  const newline = (await readAt(handle, from, size - from)).lastIndexOf(10)
  return newline === -1 ? (from === 0 ? 0 : size) : from + newline + 1
}

const keyOf = ({ generation, position }: File): string => `tail.${generation}.${position}`

/**
 * The events in bytes that begin with a line (or, after a cut, within one) and how many bytes they take; the last event stays
 * behind unless it is known to be whole, or there is no room for more of it.
 */
const eventsOf = (
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

export class Tail {
  readonly patterns: ReadonlyArray<string>
  readonly positionsFile: string | undefined
  readonly files = new Map<string, File>()
  /** Binary files, and what was already said of others. */
  readonly ignored = new Set<string>()
  /** Positions of an earlier run, by inode. */
  saved: Map<string, Mark> = new Map()
  dirty = false

  readonly multiline: boolean

  constructor(patterns: ReadonlyArray<string>, positionsFile: string | undefined, multiline: boolean) {
    this.patterns = patterns
    this.positionsFile = positionsFile
    this.multiline = multiline
  }

  async load(): Promise<void> {
    if (this.positionsFile === undefined) return
    try {
      const kept = JSON.parse(await readFile(this.positionsFile, "utf8")) as { files?: Record<string, Mark> }
      this.saved = new Map(Object.entries(kept.files ?? {}))
    } catch (error) {
      // No file yet, or one cut short by a crash: begin as on the first day.
      if (!(error instanceof SyntaxError) && (error as NodeJS.ErrnoException).code !== "ENOENT") throw error
    }
  }

  /** Writes positions if they changed; whole or not at all. */
  async save(): Promise<void> {
    if (!this.dirty || this.positionsFile === undefined) return
    const files: Record<string, Mark> = {}
    for (const { cut, generation, head, headLength, id, path, position, upTo, upToPath } of this.files.values()) {
      files[id] = { path: upTo === undefined ? path : upToPath, position, headLength, head, generation, upTo, cut }
    }
    await writeFile(`${this.positionsFile}.new`, JSON.stringify({ version: 2, files }))
    await rename(`${this.positionsFile}.new`, this.positionsFile)
    this.dirty = false
  }

  /** Looks for files that came, went or changed their names; answers what a person should know. */
  async scan(now: number, fromEnd: boolean): Promise<ReadonlyArray<string>> {
    const problems: Array<string> = []
    const seen = new Set<string>()
    for (const pattern of this.patterns) {
      for await (const name of glob(pattern)) {
        const path = resolve(name)
        if (packed.test(path)) continue
        const problem = await this.meet(path, now, fromEnd, seen).catch((error: unknown) => String(error))
        if (problem === undefined || this.ignored.has(`${path}: ${problem}`)) continue
        this.ignored.add(`${path}: ${problem}`)
        problems.push(`${path}: ${problem}`)
      }
    }
    for (const file of this.files.values()) if (!seen.has(file.id)) file.goneAt ??= now
    return problems
  }

  async meet(path: string, now: number, fromEnd: boolean, seen: Set<string>): Promise<string | undefined> {
    const info = await stat(path, { bigint: true }).catch(() => undefined)
    if (info === undefined || !info.isFile()) return undefined
    const id = `${info.dev}:${info.ino}`
    if (seen.has(id) || this.ignored.has(id)) return undefined
    seen.add(id)
    const known = this.files.get(id)
    if (known !== undefined) {
      known.path = path
      known.goneAt = undefined
      return undefined
    }
    if (this.files.size >= filesMax) return `not followed: expected at most ${filesMax} files`
    const handle = await open(path, "r")
    try {
      if ((await readAt(handle, 0, sniffMax)).includes(0)) {
        this.ignored.add(id)
        await handle.close()
        return "not followed: a binary file"
      }
      const size = Number(info.size)
      const file: File = {
        id,
        path,
        handle,
        position: 0,
        headLength: 0,
        head: "",
        generation: randomUUID(),
        upTo: undefined,
        upToPath: path,
        cut: false,
        size,
        goneAt: undefined,
        grewAt: now
      }
      const mark = this.saved.get(id)
      if (mark !== undefined && (await this.isSame(file, mark, size))) {
        const { cut = false, generation = file.generation, head, headLength, path: upToPath, position, upTo } = mark
        Object.assign(file, { cut, generation, head, headLength, position, upTo, upToPath })
        if (upTo !== undefined && upTo > size) file.upTo = undefined
      } else if (mark === undefined && fromEnd) {
        await this.moveTo(file, await lastLine(handle, size))
      }
      this.files.set(id, file)
      this.dirty = true
      return undefined
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** Whether a file is still the one that a mark was made of. */
  async isSame(file: Pick<File, "handle">, mark: Mark | File, size: number): Promise<boolean> {
    if (size < mark.position) return false
    return mark.headLength === 0 || digest(await readAt(file.handle, 0, mark.headLength)) === mark.head
  }

  async moveTo(file: File, position: number): Promise<void> {
    file.position = position
    this.dirty = true
    if (file.headLength >= headMax || file.headLength === position) return
    const head = await readAt(file.handle, 0, Math.min(position, headMax))
    file.headLength = head.length
    file.head = digest(head)
  }

  /** Whether a file is worth a look between two scans. */
  isLively(file: File, now: number): boolean {
    return now - file.grewAt < idleMs || file.goneAt !== undefined || file.position < file.size
  }

  /** The next new events of a file, or undefined when there are none. */
  async read(file: File, now: number): Promise<Fresh | undefined> {
    if (file.upTo !== undefined) return await this.again(file, file.upTo)
    const { size } = await file.handle.stat()
    if (size !== file.size) {
      file.size = size
      file.grewAt = now
    }
    if (size === file.position) return undefined
    if (!(await this.isSame(file, file, size))) {
      Object.assign(file, { headLength: 0, head: "", generation: randomUUID(), cut: false, grewAt: now })
      await this.moveTo(file, 0)
    }
    const bytes = await readAt(file.handle, file.position, readMax)
    let used = bytes.lastIndexOf(10) + 1
    const last = file.goneAt !== undefined && now - file.goneAt >= lingerMs
    const cut = used === 0
    if (cut) {
      if (bytes.length < lineMax && !(last && bytes.length > 0)) return undefined
      used = Math.min(bytes.length, lineMax)
      while (used > 1 && used < bytes.length && (bytes[used]! & 0xc0) === 0x80) used--
    }
    const whole = !this.multiline || last || cut || now - file.grewAt >= quietMs
    const { lines, taken } = eventsOf(
      bytes.subarray(0, used),
      file.cut,
      this.multiline,
      whole,
      bytes.length === readMax
    )
    if (taken === 0) return undefined
    return { file, path: file.path, lines, next: file.position + taken, cut, key: keyOf(file) }
  }

  /** A range that was planned before, as it was then. */
  async again(file: File, upTo: number): Promise<Fresh> {
    const bytes = await readAt(file.handle, file.position, upTo - file.position)
    const { lines } = eventsOf(bytes, file.cut, this.multiline, true, true)
    return { file, path: file.upToPath, lines, next: upTo, cut: bytes.at(-1) !== 10, key: keyOf(file) }
  }

  /** Notes what will be handed over; to be saved before it is. */
  plan({ file, next, path }: Fresh): void {
    if (file.upTo === next) return
    file.upTo = next
    file.upToPath = path
    this.dirty = true
  }

  /** The lines were taken. */
  async commit({ cut, file, next }: Fresh): Promise<void> {
    file.upTo = undefined
    file.cut = cut
    await this.moveTo(file, next)
  }

  /** Forgets files that lost their name and have nothing more to say. */
  async reap(now: number): Promise<void> {
    for (const file of this.files.values()) {
      if (file.goneAt === undefined || now - Math.max(file.goneAt, file.grewAt) < lingerMs) continue
      await file.handle.close()
      this.files.delete(file.id)
      this.dirty = true
    }
  }

  async close(): Promise<void> {
    await this.save().catch(() => undefined)
    await Promise.allSettled([...this.files.values()].map(({ handle }) => handle.close()))
    this.files.clear()
  }
}
