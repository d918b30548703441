/**
 * Where a miner keeps its templates: by id, by signature, and by frame, with the signatures that opened templates cover. Has
 * room for so many; what was used least recently goes first. What becomes of templates is decided by Miner.ts.
 */
import { frameOf, hash, type Template, weightOf } from "./Template.ts"
import type { Units } from "./Units.ts"

/** Signatures known to belong to templates with opened words. */
const seenMax = 20_000
/** Longer signatures are looked up by their hash. */
const keyMax = 256
/** Share of the templates that goes when the room is full. */
const evicted = 0.1

/** Templates of one frame, oldest first. */
export interface Bucket {
  all: Array<Template>
  open: Array<Template>
}

/** A copy that holds on to no longer text it was cut from. */
export const detached = <A>(value: A): A => JSON.parse(JSON.stringify(value)) as A

export const isLive = (template: Template): boolean => template.alive && template.into === undefined

/** The template as which this one goes on. */
export const resolved = (template: Template): Template => {
  let at = template
  while (at.into !== undefined) at = at.into
  return at
}

/** Under what a signature is looked up. */
export const keyOf = (signature: string): string =>
  signature.length > keyMax ? `${hash(signature)}.${signature.length}.${signature.slice(0, 64)}` : signature

export class Shelf {
  readonly byId = new Map<number, Template>()
  readonly buckets = new Map<number, Bucket>()
  /** About how many bytes the templates take. */
  weight = 0
  private readonly bySignature = new Map<string, Template>()
  /** The oldest are forgotten first. */
  private readonly seen = new Map<string, Template>()

  /** The live template that a signature's key is known to belong to. */
  look(key: string): Template | undefined {
    const exact = this.exact(key)
    if (exact !== undefined) return exact
    const seen = this.seen.get(key)
    if (seen === undefined) return undefined
    const template = resolved(seen)
    return template.alive ? template : undefined
  }

  /** The live template that was born with this signature. */
  exact(key: string): Template | undefined {
    const found = this.bySignature.get(key)
    return found !== undefined && isLive(found) ? found : undefined
  }

  remember(key: string, template: Template): void {
    if (this.seen.size >= seenMax) {
      const [oldest] = this.seen.keys()
      this.seen.delete(oldest!)
    }
    this.seen.set(detached(key), template)
  }

  /** The templates of the same frame; one that is new is kept with its first template only. */
  bucketOf(units: Units): Bucket {
    return this.buckets.get(hash(frameOf(units))) ?? { all: [], open: [] }
  }

  insert(template: Template, units: Units): void {
    const bucket = this.bucketOf(units)
    this.buckets.set(hash(frameOf(units)), bucket)
    this.byId.set(template.id, template)
    this.bySignature.set(keyOf(template.signature), template)
    bucket.all.push(template)
    if (template.open) bucket.open.push(template)
    this.weight += weightOf(template)
  }

  /** Takes a template off that has become part of another. */
  remove(template: Template, units: Units): void {
    this.drop(template)
    const bucket = this.bucketOf(units)
    bucket.all = bucket.all.filter((other) => other !== template)
    bucket.open = bucket.open.filter((other) => other !== template)
  }

  /** Forgets what was used least recently, once there is too much. */
  makeRoom(templatesMax: number, weightMax: number): void {
    if (this.byId.size <= templatesMax && this.weight <= weightMax) return
    const byUse = [...this.byId.values()].toSorted((a, b) => a.used - b.used)
    for (const template of byUse.slice(0, Math.max(1, Math.ceil(byUse.length * evicted)))) {
      template.alive = false
      this.drop(template)
    }
    for (const [frame, bucket] of this.buckets) {
      bucket.all = bucket.all.filter((template) => template.alive)
      bucket.open = bucket.open.filter((template) => template.alive)
      if (bucket.all.length === 0) this.buckets.delete(frame)
    }
    for (const [key, template] of this.seen) if (!resolved(template).alive) this.seen.delete(key)
  }

  private drop(template: Template): void {
    this.weight -= weightOf(template)
    this.byId.delete(template.id)
    const key = keyOf(template.signature)
    if (this.bySignature.get(key) === template) this.bySignature.delete(key)
  }
}
