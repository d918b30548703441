/**
 * The files that are being followed: which they are, where each stands and what is new in them. Knows a file by its
 * inode, not its name, so that one that is renamed is read to its end and the new one from its start; notices by size and
 * by the first bytes when a file was emptied or written anew in place. Speaks promises; the loop is file_tail's.
 */
import { createHash } from "node:crypto"
import { type FileHandle, glob, open, readFile, rename, stat, writeFile } from "node:fs/promises"
import { resolve } from "node:path"

/** Bytes read at once. */
const readMax = 512 * 1024
/** Longest line, bytes; a longer one is cut there. */
const lineMax = 256 * 1024
/** Files followed at once. */
export const filesMax = 500
/** First bytes that a file is known by. */
const headMax = 256
/** First bytes in which a NUL tells a binary file. */
const sniffMax = 4096
/** How long a file that lost its name is still watched for late writes, ms. */
const lingerMs = 5000
const packed = /\.(?:gz|xz|zst|bz2|zip|tgz|lz4|7z|journal)$/iu

interface Mark {
  readonly path: string
  readonly position: number
  readonly headLength: number
  readonly head: string
}

interface File {
  readonly id: string
  path: string
  readonly handle: FileHandle
  position: number
  headLength: number
  head: string
  /** When the file lost its name, epoch ms. */
  goneAt: number | undefined
  /** When something new was last seen, epoch ms. */
  readAt: number
}

/** New lines of one file; `next` is where it stands once they are taken. */
export interface Fresh {
  readonly file: File
  readonly lines: ReadonlyArray<string>
  readonly next: number
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

export class Tail {
  readonly patterns: ReadonlyArray<string>
  readonly positionsFile: string | undefined
  readonly files = new Map<string, File>()
  /** Binary files, and what was already said of others. */
  readonly ignored = new Set<string>()
  /** Positions of an earlier run, by inode. */
  saved: Map<string, Mark> = new Map()
  dirty = false

  constructor(patterns: ReadonlyArray<string>, positionsFile: string | undefined) {
    this.patterns = patterns
    this.positionsFile = positionsFile
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
    for (const { head, headLength, id, path, position } of this.files.values()) {
      files[id] = { path, position, headLength, head }
    }
    await writeFile(`${this.positionsFile}.new`, JSON.stringify({ version: 1, files }))
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
      const file: File = { id, path, handle, position: 0, headLength: 0, head: "", goneAt: undefined, readAt: now }
      const mark = this.saved.get(id)
      if (mark !== undefined && (await this.isSame(file, mark, Number(info.size)))) {
        Object.assign(file, { position: mark.position, headLength: mark.headLength, head: mark.head })
      } else if (mark === undefined && fromEnd) {
        await this.moveTo(file, await lastLine(handle, Number(info.size)))
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

  /** The next new lines of a file, or undefined when there are none. */
  async read(file: File, now: number): Promise<Fresh | undefined> {
    const { size } = await file.handle.stat()
    if (size === file.position) return undefined
    if (!(await this.isSame(file, file, size))) {
      file.headLength = 0
      file.head = ""
      await this.moveTo(file, 0)
    }
    const bytes = await readAt(file.handle, file.position, readMax)
    let used = bytes.lastIndexOf(10) + 1
    const last = file.goneAt !== undefined && now - file.goneAt >= lingerMs
    if (used === 0) {
      if (bytes.length < lineMax && !(last && bytes.length > 0)) return undefined
      used = Math.min(bytes.length, lineMax)
      while (used > 1 && used < bytes.length && (bytes[used]! & 0xc0) === 0x80) used--
    }
    file.readAt = now
    const lines = bytes
      .toString("utf8", 0, used)
      .split("\n")
      .map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line))
      .filter((line) => line.trim() !== "")
    return { file, lines, next: file.position + used }
  }

  /** The lines were taken. */
  async commit({ file, next }: Fresh): Promise<void> {
    await this.moveTo(file, next)
  }

  /** Forgets files that lost their name and have nothing more to say. */
  async reap(now: number): Promise<void> {
    for (const file of this.files.values()) {
      if (file.goneAt === undefined || now - Math.max(file.goneAt, file.readAt) < lingerMs) continue
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
