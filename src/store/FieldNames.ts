/**
 * The attributes of a line, walked once: their hashes for the block's signature, and names that were not seen before for the
 * catalogue of fields. Promises the hashes of exactly what is stored, in a time linear in it, and bounded memory. Elements
 * of arrays have no hashes (BlockPrune.ts asks for none), and names inside arrays are not in the catalogue.
 */
import { type SignatureBuilder, existsHash, pathSeed, valueHash } from "./Signature.ts"

export const fieldTypes = ["string", "number", "boolean", "object", "array"] as const
export type FieldType = (typeof fieldTypes)[number]

export interface NewField {
  readonly project: string
  readonly name: string
  readonly type: FieldType
  readonly example: string
}

interface Path {
  readonly seed: number
  readonly exists: number
  /** Bit per index of `fieldTypes`: told already. */
  types: number
}

/** Names kept in memory per project, and projects. */
const namesMax = 2_000
const projectsMax = 500
/** Names deeper or longer than this are searched, but not listed. */
const nameMax = 200
const exampleMax = 120
/** Objects within objects; what is deeper is stored as text, so it is walked as it is stored. */
const depthMax = 100

/** A number as jsonb prints it is `String` of it, but for exponents. */
const plainNumber = /^-?\d+(?:\.\d+)?$/u

/** Stops a walk of something that JSON stores otherwise than it looks. */
const odd = Symbol("odd")

export class FieldNames {
  readonly #projects = new Map<string, Map<string, Path>>()
  readonly #numberText: (n: number) => string
  #fresh: Array<NewField> = []

  /** `numberText` is how a query compares numbers. */
  constructor(numberText: (n: number) => string) {
    this.#numberText = numberText
  }

  /** What was seen for the first time since the last call. */
  takeNew(): ReadonlyArray<NewField> {
    const fresh = this.#fresh
    this.#fresh = []
    return fresh
  }

  /** These could not be kept: they count as not seen. */
  untell(fields: ReadonlyArray<NewField>): void {
    for (const { project } of fields) this.#projects.delete(project)
  }

  /** Adds a line's attributes, of which `json` is the stored form. */
  add(project: string, attributes: Readonly<Record<string, unknown>>, json: string, out: SignatureBuilder): void {
    if (json === "{}") return
    const names = this.#of(project)
    if (this.#walk(project, names, "", attributes, 0, out) !== odd) return
    this.#walk(project, names, "", JSON.parse(json) as Record<string, unknown>, -depthMax, out)
  }

  #of(project: string): Map<string, Path> {
    const known = this.#projects.get(project)
    if (known !== undefined) return known
    if (this.#projects.size >= projectsMax) this.#projects.clear()
    const names = new Map<string, Path>()
    this.#projects.set(project, names)
    return names
  }

  #path(names: Map<string, Path>, name: string): Path {
    const known = names.get(name)
    if (known !== undefined) return known
    const seed = pathSeed(name)
    const path = { seed, exists: existsHash(seed), types: 0 }
    if (names.size < namesMax) names.set(name, path)
    // Beyond the bound nothing is told, and nothing grows.
    else path.types = -1
    return path
  }

  #walk(
    project: string,
    names: Map<string, Path>,
    prefix: string,
    object: Readonly<Record<string, unknown>>,
    depth: number,
    out: SignatureBuilder
  ): typeof odd | undefined {
    if (depth > depthMax || !isPlain(object)) return odd
    for (const key of Object.keys(object)) {
      const value = object[key]
      if (value === null || value === undefined) continue
      if (!isClean(key)) return odd
      const name = depth === 0 || depth === -depthMax ? key : `${prefix}.${key}`
      const text = this.#textOf(value)
      if (text === odd) return odd
      if (text === null) continue
      const path = this.#path(names, name)
      out.add(path.exists)
      if (typeof value !== "object") out.add(valueHash(path.seed, text))
      this.#tell(project, path, name, value, text)
      if (typeof value !== "object" || Array.isArray(value)) continue
      if (this.#walk(project, names, name, value as Record<string, unknown>, depth + 1, out) === odd) return odd
    }
    return undefined
  }

  /** A scalar as text, "" for an object, null for what JSON leaves out or makes null. */
  #textOf(value: unknown): string | null | typeof odd {
    switch (typeof value) {
      case "string":
        return isClean(value) ? value : odd
      case "number": {
        if (!Number.isFinite(value)) return null
        const text = String(value)
        return plainNumber.test(text) ? text : this.#numberText(value)
      }
      case "boolean":
        return value ? "true" : "false"
      case "object":
        return ""
      default:
        return odd
    }
  }

  #tell(project: string, path: Path, name: string, value: unknown, text: string): void {
    const type = Array.isArray(value) ? "array" : (typeof value as FieldType)
    const bit = 1 << fieldTypes.indexOf(type)
    if ((path.types & bit) !== 0) return
    path.types |= bit
    if (name.length <= nameMax) {
      this.#fresh.push({ project, name, type, example: text.slice(0, exampleMax).toWellFormed() })
    }
  }
}

const isClean = (text: string): boolean => text.isWellFormed() && !text.includes("\u0000")

const isPlain = (object: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(object)
  return (prototype === Object.prototype || prototype === null) && typeof Reflect.get(object, "toJSON") !== "function"
}
