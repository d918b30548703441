/**
 * The files that are being followed: which they are, where each stands and what is new in them. Knows a file by its
 * inode, not its name, so that one that is renamed is read to its end and the new one from its start; notices by size and
 * by the first bytes when a file was emptied or written anew in place. What it had read by then and held back, waiting for
 * more of the same event, is handed over all the same. Speaks promises; the loop is file_tail's.
 *
 * Before a range of a file is handed over its end is saved (`plan`): after a crash the same range is read again, and so has
 * the same key and the same lines, whatever the file has grown by.
 */
import { randomUUID } from "node:crypto"
import { type FileHandle, glob, open, readdir, readFile, rename, stat, writeFile } from "node:fs/promises"
import { dirname, join, resolve } from "node:path"
import { digest, eventsOf, isSame, isStill, lastLine, lineMax, type Mark, readAt } from "./TailBytes.ts"

/** Bytes read at once. */
const readMax = 512 * 1024
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
/** Bytes kept of what was read and held back, by file. */
const behindMax = 64 * 1024
/** A file in which nothing was new for so long is looked at only after each scan, ms. */
const idleMs = 60_000
const packed = /\.(?:gz|xz|zst|bz2|zip|tgz|lz4|7z|journal)$/iu

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
  /** What was read after the position and held back. */
  behind: Buffer
  /** Of contents that are gone: what of them is still to be handed over. */
  left: Pick<Fresh, "lines" | "key"> | undefined
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
  /** Not in the file any more, so that it can't be read again. */
  readonly gone?: boolean
}

const nothing = Buffer.alloc(0)

const keyOf = ({ generation, position }: File): string => `tail.${generation}.${position}`

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

  /** Finds files of an earlier run that were renamed since, to names that nobody follows: they are read to their end. */
  async findRenamed(now: number): Promise<void> {
    const missing = new Map([...this.saved].filter(([id, mark]) => !this.files.has(id) && mark.headLength > 0))
    for (const folder of new Set([...missing.values()].map(({ path }) => dirname(path)))) {
      for (const name of await readdir(folder).catch(() => [])) {
        const path = join(folder, name)
        const info = await stat(path, { bigint: true }).catch(() => undefined)
        const mark = missing.get(`${info?.dev}:${info?.ino}`)
        if (mark === undefined || !(await isStill(path, mark).catch(() => false))) continue
        await this.meet(path, now, false, new Set()).catch(() => undefined)
      }
    }
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
        behind: nothing,
        left: undefined,
        goneAt: undefined,
        grewAt: now
      }
      const mark = this.saved.get(id)
      if (mark !== undefined && (await isSame(handle, mark, size))) {
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
    if (file.left !== undefined)
      return { file, path: file.path, next: file.position, cut: false, gone: true, ...file.left }
    if (file.upTo !== undefined) return await this.again(file, file.upTo)
    const { size } = await file.handle.stat()
    if (size !== file.size) {
      file.size = size
      file.grewAt = now
    }
    if (size === file.position) return undefined
    if (!(await isSame(file.handle, file, size))) {
      const { lines } = eventsOf(file.behind, file.cut, this.multiline, true, true)
      const left = lines.length > 0 ? { lines, key: keyOf(file) } : undefined
      Object.assign(file, {
        headLength: 0,
        head: "",
        generation: randomUUID(),
        cut: false,
        grewAt: now,
        behind: nothing,
        left
      })
      await this.moveTo(file, 0)
      if (left !== undefined) return await this.read(file, now)
    }
    const bytes = await readAt(file.handle, file.position, readMax)
    let used = bytes.lastIndexOf(10) + 1
    const last = file.goneAt !== undefined && now - file.goneAt >= lingerMs
    file.behind = bytes.length < behindMax ? Buffer.from(bytes) : nothing
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
  plan({ file, gone, next, path }: Fresh): void {
    if (gone === true || file.upTo === next) return
    file.upTo = next
    file.upToPath = path
    this.dirty = true
  }

  /** The lines were taken. */
  async commit({ cut, file, gone, next }: Fresh): Promise<void> {
    if (gone === true) return void (file.left = undefined)
    file.behind = file.behind.subarray(next - file.position)
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
