/** Quantiles are within the promised error, and merging loses nothing. */
import { fc } from "../support/property.ts"
import { describe, expect, it } from "vitest"
import { others, type Rollup, RollupBuilder, keptMax, mergeRollups } from "../../src/domain/Rollup.ts"
import * as Sketch from "../../src/domain/Sketch.ts"

const values = fc.array(fc.double({ min: 0.01, max: 1e8, noNaN: true }), { minLength: 1, maxLength: 300 })

describe("a sketch", () => {
  it("gives every quantile within 2 %", () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, q) => {
        const sorted = list.toSorted((a, b) => a - b)
        const truth = sorted[Math.floor(q * (sorted.length - 1))]!
        const found = Sketch.quantile(Sketch.of(list), q)!
        expect(Math.abs(found - truth) / truth).toBeLessThanOrEqual(Sketch.accuracy + 0.001)
      })
    )
  })

  it("merges into the sketch of all values", () => {
    fc.assert(
      fc.property(values, values, (one, two) => {
        const merged = Sketch.merge([Sketch.of(one), Sketch.of(two)])
        const all = Sketch.of([...one, ...two])
        expect({ n: merged.n, b: merged.b, max: merged.max }).toEqual({ n: all.n, b: all.b, max: all.max })
      })
    )
  })

  it("is bounded whatever comes, and empty when nothing does", () => {
    const odd = Sketch.of([Number.NaN, -5, 0, Infinity, 1e300, 1e-300])
    expect(odd.n).toBe(6)
    expect(odd.max).toBe(Sketch.most)
    expect(Sketch.quantile(Sketch.empty, 0.5)).toBeNull()
  })
})

describe("a roll-up", () => {
  const row = (seed: number, services: number): Rollup => {
    const builder = new RollupBuilder()
    for (let i = 0; i < services; i++) {
      builder.addLines(`s${i}`, i % 3 === 0 ? "error" : "info", i + seed)
      builder.addHost(`h${i}`, i + seed)
      builder.addDurations(`s${i}`, `GET /${i}`, { bucket: i, n: 1, sum: i, max: i, errors: 0 })
    }
    return builder.take()
  }
  const sum = (numbers: Iterable<number>) => [...numbers].reduce((a, b) => a + b, 0)

  it("keeps the largest and counts the rest together, so that no line is lost", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 9 }), (n, seed) => {
        const one = row(seed, n)
        const twice = mergeRollups([one, row(seed, n)])
        expect(twice.lines).toBe(one.lines * 2)
        expect(sum(twice.byLevel)).toBe(twice.lines)
        expect(sum(Object.values(twice.services).map(({ lines }) => lines))).toBe(twice.lines)
        expect(sum(Object.values(twice.hosts))).toBe(twice.lines)
        expect(twice.latency!.n).toBe(n * 2)
        expect(sum(Object.values(twice.endpoints).map(({ latency }) => latency.n))).toBe(n * 2)
        expect(Object.keys(one.services).length).toBeLessThanOrEqual(keptMax.services)
        expect(Object.hasOwn(one.services, others)).toBe(n > keptMax.services)
      }),
      { numRuns: 30 }
    )
  })
})
