/** Words, lexicon, vectors and ranking: what they promise for any text, and how well they find what is asked for. */
import { fc } from "../support/property.ts"
import { describe, expect, it } from "vitest"
import { isThere, leftOut, matrixOf, questions, scores, bm25, templates } from "../../bench/semantic.ts"
import { dimensions, embed, Matrix } from "../../src/analytics/Embeddings.ts"
import { groups, halves, near, phrasesAt } from "../../src/analytics/Lexicon.ts"
import { SemanticIndex } from "../../src/analytics/SemanticIndex.ts"
import { partsOf, termsOf } from "../../src/analytics/Terms.ts"
import { isStopWord, split, stem } from "../../src/analytics/Words.ts"

const indexOf = (texts: ReadonlyArray<string>) => new SemanticIndex(texts.map((text) => termsOf({ text })))

describe("words", () => {
  it("takes names apart, leaves placeholders and numbers out, and keeps short names whole beside their parts", () => {
    expect(
      split("BLOCK* NameSystem.addStoredBlock: <*> is added to blk_<*> size <ip> 42, can't open HTTPServer2")
    ).toEqual({
      words: [
        "block",
        "name",
        "system",
        "add",
        "stored",
        "block",
        "is",
        "added",
        "to",
        "blk",
        "size",
        "cannot",
        "open"
      ].concat("http", "server2"),
      joined: ["namesystem", "addstoredblock", "httpserver2"]
    })
  })

  it.each([
    ["connection connecting connected connects", "connect"],
    ["failed failing fails", "fail"],
    ["authentication authenticate authenticating", "authenticat"],
    ["retries retry retried", "retri"],
    ["stopped stopping stops", "stop"],
    ["caches caching cached", "cach"]
  ])("cuts %s to one stem", (words, expected) => {
    expect(words.split(" ").map(stem)).toEqual(words.split(" ").map(() => expected))
  })

  it("never throws, and stays within its limits", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 600 }), (text) => {
        const { joined, words } = split(text)
        expect(words.length).toBeLessThanOrEqual(410)
        expect(joined.length).toBeLessThanOrEqual(400)
        expect(words.every((word) => stem(word).length <= word.length + 1)).toBe(true)
      })
    )
  })

  it("is linear in the line's length", { timeout: 60_000 }, () => {
    for (const evil of [
      "<".repeat(1e6),
      "aA".repeat(5e5),
      "_".repeat(1e6),
      "can'".repeat(2e5),
      "[REDACTED".repeat(1e5)
    ]) {
      expect(split(evil).words.length).toBeLessThanOrEqual(410)
      expect(embed(evil)).toHaveLength(dimensions)
    }
  })
})

describe("the lexicon", () => {
  it("has hundreds of groups, none of them alone or of stop words only", () => {
    expect(groups.length).toBeGreaterThan(350)
    for (const { members, related } of groups) expect(members.length + related.length).toBeGreaterThan(1)
  })

  it("knows what is near in both directions, and nothing of strangers", () => {
    expect(near(stem("login")).get(stem("authenticate"))).toBeGreaterThan(0.5)
    expect(near(stem("authenticate")).get(stem("login"))).toBeGreaterThan(0.5)
    expect(near("zyzzyva").size).toBe(0)
  })

  it("finds phrases, the longest first, and halves of compounds", () => {
    const stems = "ran out of memory".split(" ").map(stem)
    expect(phrasesAt(stems, 0)[0]).toEqual(["ran", "out", "of"])
    expect(phrasesAt(stems, 1)[0]).toEqual(["out", "of", "memori"])
    expect(halves("datanode")).toEqual(["data", "nod"])
    expect(halves("zyzzyva")).toBeUndefined()
  })

  it("treats a phrase of a question as one part", () => {
    expect(partsOf("why did the hard drive run out of space?").map(({ said }) => said)).toEqual([
      "hard drive",
      "run",
      "out of space"
    ])
    expect(isStopWord("the")).toBe(true)
  })
})

describe("vectors", () => {
  const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)

  it("are the same for the same text, of length 1 or all zeros, and finite", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
        const vector = embed(text)
        expect(vector).toEqual(embed(text))
        const length = cosine(vector, vector)
        expect(length === 0 || Math.abs(length - 1) < 1e-4).toBe(true)
      })
    )
  })

  it("lie nearer for what means the same", () => {
    const asked = embed("hard drive has no space left")
    expect(cosine(asked, embed("ServerFileSystem domain <*> is full"))).toBeGreaterThan(
      cosine(asked, embed("session opened for user <*> by (uid=<*>)")) + 0.1
    )
  })

  it("of another size than the rest count as unknown", () => {
    const matrix = new Matrix([embed("disk full"), undefined, new Float32Array(3)], dimensions)
    const nearness = matrix.nearness(embed("disk full"))
    expect([...nearness].map((value) => value > 0.5)).toEqual([true, false, false])
    expect([...matrix.nearness(new Float32Array(3))]).toEqual([0, 0, 0])
    expect(new Matrix([], dimensions).nearness(embed("x"))).toHaveLength(0)
  })
})

describe("ranking", () => {
  const texts = [
    "Failed password for <*> from <*> port <*> ssh2",
    "Accepted password for <*> from <*> port <*> ssh2",
    "DHCPREQUEST on <*> to <*> port <*>",
    "Out of memory: Kill process <*> score <*>",
    "Connection to <*> timed out after <*> ms",
    "Certificate for <*> expires in <*> days",
    "task <*> completed in <*> ms"
  ]
  const index = indexOf(texts)
  const best = (question: string) => texts[index.search(question, 3)[0]?.index ?? -1]

  it.each([
    ["someone could not log in", texts[0]],
    ["credentials were fine, user let in", texts[1]],
    ["a machine asked for an IP address", texts[2]],
    ["program was shot because the RAM was used up", texts[3]],
    ["the peer did not answer in time", texts[4]],
    ["TLS is about to run out", texts[5]],
    ["job finished", texts[6]]
  ])("%s", (question, expected) => {
    expect(best(question)).toBe(expected)
  })

  it("says what was found as what", () => {
    const [first] = index.search("someone could not log in", 1)
    expect(first?.why.map(({ asked, found }) => [asked, found])).toContainEqual(["could not", "fail"])
    expect(index.search("accepted", 1)[0]?.why).toEqual([{ asked: "accepted", found: "accept", concept: undefined }])
  })

  it("leaves out what is not wanted, and what nothing speaks for", () => {
    expect(index.search("someone could not log in", 3, [], (i) => i !== 0).map((match) => match.index)).not.toContain(0)
    expect(index.search("zyzzyva", 3)).toEqual([])
    expect(index.search("", 3)).toEqual([])
    expect(indexOf([]).search("disk full", 3)).toEqual([])
  })

  it("follows a voice where the words say nothing, and is not harmed by one that says nothing", () => {
    expect(index.search("zyzzyva", 1, [[0, 0, 0.1, 0, 0.9, 0, 0]])[0]?.index).toBe(4)
    expect(index.search("job finished", 1, [texts.map(() => 0.5)])[0]?.index).toBe(6)
  })

  it("answers any question about any templates: no more than asked for, best first, each once", () => {
    const text = fc.oneof(fc.string({ unit: "binary", maxLength: 60 }), fc.constantFrom(...texts))
    fc.assert(
      fc.property(fc.array(text, { maxLength: 30 }), text, fc.integer({ min: 1, max: 10 }), (list, question, limit) => {
        const found = indexOf(list).search(question, limit, [list.map((_, i) => Math.sin(i))])
        expect(found.length).toBeLessThanOrEqual(limit)
        expect(new Set(found.map((match) => match.index)).size).toBe(found.length)
        const scored = found.map(({ score }) => score)
        expect(scored.every(Number.isFinite)).toBe(true)
        expect(scored).toEqual(scored.toSorted((a, b) => b - a))
      })
    )
  })
})

describe.skipIf(!isThere())("LogHub's templates", () => {
  it("are found by questions in other words, far better than by BM25", { timeout: 120_000 }, () => {
    const list = templates()
    const matrix = matrixOf(list)
    const index = new SemanticIndex(list.map((template) => termsOf(template)))
    const hybrid = (question: string) =>
      index.search(question, 10, [matrix.nearness(embed(question))]).map((match) => match.index)
    const all = questions()
    for (const [set, least] of [
      ["given", 0.5],
      ["tune", 0.55],
      ["check", 0.55]
    ] as const) {
      const asked = all.filter((question) => question.set === set)
      expect(scores(hybrid, list, asked).mrr).toBeGreaterThan(least)
      expect(scores(hybrid, list, asked).mrr).toBeGreaterThan(1.5 * scores(bm25(list), list, asked).mrr)
    }
    expect(leftOut(list, all, matrix)).toBeGreaterThan(0.5)
  })
})
