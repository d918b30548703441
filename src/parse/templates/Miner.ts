/**
 * Finds the templates of a project's messages as they pass, with one configuration for all. A message's signature (see
 * Template.ts) decides in one look-up; only a signature that is new is compared with others of the same frame, and where
 * enough of them differ in the same single word, that word is taken for a variable and they become one. Pure: the same
 * messages in the same order give the same templates. Memory is bounded; what was met least recently is forgotten, and has
 * the same id when it comes again. Keeping templates is left to the store.
 */
import {
  covers,
  generalise,
  hash,
  ofShape,
  onlyDifference,
  shapeOf,
  signatureOf,
  type Template,
  textOf
} from "./Template.ts"
import { type Bucket, detached, isLive, keyOf, resolved, Shelf } from "./Shelf.ts"
import { enough, wordsOf } from "./Siblings.ts"
import { scan } from "./Tokens.ts"
import { gap, hole, makeUnits, opened, type Units, variable, weak } from "./Units.ts"

export interface MinerLimits {
  /** Templates kept in memory. */
  readonly templatesMax: number
  /** About how many bytes they may take together. */
  readonly weightMax: number
  /** Templates that a miner finds at most, and one more per 10,000 lines: a sender of garbage must not fill the store. */
  readonly foundMax: number
}

const defaultLimits: MinerLimits = { templatesMax: 10_000, weightMax: 32_000_000, foundMax: 50_000 }

/** A template as the store keeps it. */
export interface Kept {
  readonly id: number
  readonly text: string
  /** For `adopt`. */
  readonly shape: string
  /** A message of it, as long as it was. */
  readonly sample: string
  /** The template that has taken this one in. */
  readonly alias?: number | undefined
}

/** Neighbours that a new signature is compared with. */
const comparedMax = 200
/** Characters of a sample. */
const sampleMax = 500
/** So many lines allow one more template than `foundMax`. */
const linesPerFind = 10_000

export class Miner {
  private readonly shelf = new Shelf()
  private readonly units: Units = makeUnits()
  private readonly limits: MinerLimits
  private dirty = new Set<Template>()
  private clock = 0
  private found = 0

  constructor(limits: Partial<MinerLimits> = {}) {
    this.limits = { ...defaultLimits, ...limits }
  }

  /** Templates in memory. */
  get size(): number {
    return this.shelf.byId.size
  }

  /** About how many bytes the templates take. */
  get weight(): number {
    return this.shelf.weight
  }

  /** Whether there is anything for `takeChanged` to give. */
  get changed(): boolean {
    return this.dirty.size > 0
  }

  /** The id of the message's template; 0 for a message with nothing in it. */
  learn(message: string): number {
    const { units } = this
    scan(message, units)
    if (units.size === 0) return 0
    const signature = signatureOf(units)
    const key = keyOf(signature)
    const known = this.shelf.look(key)
    if (known !== undefined) return this.meet(known)
    const bucket = this.shelf.bucketOf(units)
    const open = bucket.open.find((template) => covers(template, units))
    if (open !== undefined) {
      this.shelf.remember(key, open)
      return this.meet(open)
    }
    const merged = this.merge(bucket)
    if (merged !== undefined) {
      this.shelf.remember(key, merged)
      return this.meet(merged)
    }
    // Too many: the rest is one template, `<*>`.
    const spent = this.found >= this.limits.foundMax + Math.floor(this.clock / linesPerFind)
    return spent && signature !== hole ? this.learn("0") : this.birth(signature, message).id
  }

  /** The text of a template that is in memory. */
  text(id: number): string | undefined {
    const template = this.shelf.byId.get(id)
    return template === undefined ? undefined : textOf(template)
  }

  /** What is new or changed since the last call. Give it back with `changedAgain` when it could not be kept. */
  takeChanged(): ReadonlyArray<Kept> {
    const taken = [...this.dirty]
    this.dirty = new Set()
    this.lastTaken = taken
    return taken.map((template) => ({
      id: template.id,
      text: textOf(template),
      shape: shapeOf(template),
      sample: template.sample,
      alias: template.into === undefined ? undefined : resolved(template).id
    }))
  }
  private lastTaken: ReadonlyArray<Template> = []

  /** Says that what was taken last could not be kept. */
  changedAgain(): void {
    for (const template of this.lastTaken) this.dirty.add(template)
    this.lastTaken = []
  }

  /** Learns a template that was kept before or found by another process; ours and theirs become one where they are. */
  adopt({ alias, id, sample, shape }: Kept): void {
    const mine = this.shelf.byId.get(id)
    if (alias !== undefined) {
      const target = this.shelf.byId.get(alias)
      if (mine !== undefined && target !== undefined && mine !== target) this.fold(mine, target, false)
      return
    }
    const theirs = ofShape(id, shape, sample)
    if (theirs === undefined) return
    const units = unitsOf(theirs)
    if (mine !== undefined) {
      if (mine.signature !== theirs.signature) return
      this.widen(mine, theirs)
      // Who kept it last knew less than we do.
      if (shapeOf(mine) !== shape) this.dirty.add(mine)
      else this.dirty.delete(mine)
      return
    }
    const same = this.shelf.exact(keyOf(theirs.signature))
    this.shelf.insert(theirs, units)
    if (same !== undefined) this.fold(same, theirs, true)
    for (const other of theirs.open ? this.shelf.bucketOf(units).all : []) {
      if (other !== theirs && isLive(other) && covers(theirs, unitsOf(other))) this.fold(other, theirs, true)
    }
    this.shelf.makeRoom(this.limits.templatesMax, this.limits.weightMax)
  }

  /** Merges what more than one miner found, or one over a long time: as `learn` does it, over all templates at once. */
  consolidate(): void {
    for (const bucket of this.shelf.buckets.values()) {
      const groups = new Map<string, Array<Template>>()
      for (const template of bucket.all) {
        const { kinds, texts } = template
        const units = unitsOf(template)
        if (wordsOf(units) < 2) continue
        for (let i = 0; i < kinds.length; i++) {
          if (kinds[i] === gap || kinds[i] === opened) continue
          const key = `${i} ${hash(texts.map((text, k) => (k === i || kinds[k]! >= weak ? hole : text)).join(""))}`
          const group = groups.get(key)
          if (group === undefined) groups.set(key, [template])
          else group.push(template)
        }
      }
      for (const [key, group] of groups) {
        const [first, ...others] = group.filter(isLive)
        if (first === undefined || others.length === 0) continue
        const place = Number(key.split(" ", 1)[0])
        if (enough(unitsOf(first), place, others)) this.join(first, others, place, bucket)
      }
    }
  }

  private meet(template: Template): number {
    // The store may have forgotten it since it was read.
    if (template.used === 0) this.dirty.add(template)
    template.used = ++this.clock
    if (generalise(template, this.units)) this.dirty.add(template)
    return template.id
  }

  private birth(signature: string, message: string): Template {
    const { kinds, size, texts } = this.units
    let id = hash(signature)
    while (this.shelf.byId.has(id)) id = id >= Number.MAX_SAFE_INTEGER ? 1 : id + 1
    const made = {
      id,
      signature: detached(signature),
      kinds: kinds.slice(0, size),
      texts: detached(texts.slice(0, size).map((text, i) => (kinds[i] === variable ? "" : text))),
      sample: detached(message.slice(0, sampleMax).toWellFormed())
    }
    const template: Template = { ...made, lists: false, open: false, into: undefined, alive: true, used: ++this.clock }
    this.found++
    this.shelf.insert(template, this.units)
    this.dirty.add(template)
    this.shelf.makeRoom(this.limits.templatesMax, this.limits.weightMax)
    return template
  }

  /** The template that a new message makes of its neighbours, if enough of them differ from it in one and the same word. */
  private merge(bucket: Bucket): Template | undefined {
    const { units } = this
    if (wordsOf(units) < 2) return undefined
    const byPlace = new Map<number, Array<Template>>()
    for (let i = bucket.all.length - 1, n = 0; i >= 0 && n < comparedMax; i--, n++) {
      const place = onlyDifference(bucket.all[i]!, units)
      if (place < 0) continue
      const others = byPlace.get(place)
      if (others === undefined) byPlace.set(place, [bucket.all[i]!])
      else others.push(bucket.all[i]!)
    }
    for (const [place, others] of byPlace) {
      if (!enough(units, place, others)) continue
      const oldest = others.pop()!
      this.join(oldest, others, place, bucket)
      return oldest
    }
    return undefined
  }

  /** `others` become part of `oldest`, whose word at `place` is a variable from now on. */
  private join(oldest: Template, others: ReadonlyArray<Template>, place: number, bucket: Bucket): void {
    for (const other of others) this.fold(other, oldest, true)
    this.openAt(oldest, place, bucket)
  }

  private openAt(template: Template, place: number, bucket: Bucket): void {
    template.kinds[place] = opened
    template.texts[place] = ""
    if (!template.open) bucket.open.push(template)
    template.open = true
    this.dirty.add(template)
  }

  /** `from` becomes part of `into`; `tell` where the store does not know yet. */
  private fold(from: Template, into: Template, tell: boolean): void {
    this.widen(into, from)
    from.into = into
    this.shelf.remove(from, unitsOf(from))
    this.shelf.remember(keyOf(from.signature), into)
    if (tell) this.dirty.add(from)
  }

  /** Opens in `template` what is open in `other`. */
  private widen(template: Template, other: Template): void {
    const { kinds } = other
    if (generalise(template, unitsOf(other))) this.dirty.add(template)
    if (other.lists) template.lists = true
    if (template.lists || kinds.length !== template.kinds.length) return
    for (let i = 0; i < kinds.length; i++) {
      if (kinds[i]! < variable || template.kinds[i]! >= kinds[i]! || template.kinds[i] === gap) continue
      this.openAt(template, i, this.shelf.bucketOf(unitsOf(template)))
    }
  }
}

const unitsOf = ({ kinds, texts }: Template): Units => ({ size: kinds.length, kinds, texts })
