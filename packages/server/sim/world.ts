// A world with its own clock and dice. One seed is one history: whatever happens, happens again with the same seed.

import { Coverage, type Situation } from "./coverage.ts"

/** Events that one world may see before we say that it never comes to rest. */
export const MAX_STEPS = 400_000

type Item = { readonly at: number; readonly order: number; run: (() => void) | undefined }

export class World {
  /** Milliseconds since the epoch. */
  now = 1_800_000_000_000
  readonly seed: number
  readonly trace: string[] = []
  readonly coverage = new Coverage()
  steps = 0
  tracing = false
  #state: number
  #order = 0
  readonly #heap: Item[] = []
  /** Called after every event, when nothing is running. */
  afterStep: () => void = () => {}

  constructor(seed: number) {
    this.seed = seed
    // Neighbouring seeds must not begin alike.
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0
  }

  /** mulberry32 (Tommy Ettinger, public domain). */
  random = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  chance(probability: number): boolean {
    return this.random() < probability
  }
  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1))
  }
  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)]!
  }
  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.int(0, 255))
  }
  note(situation: Situation): void {
    this.coverage.note(situation)
  }
  say(text: string): void {
    if (this.tracing) this.trace.push(`${String(this.now - 1_800_000_000_000).padStart(10)} ${text}`)
  }

  after(ms: number, run: () => void): () => void {
    const item: Item = { at: this.now + Math.max(0, ms), order: this.#order++, run }
    this.#push(item)
    return () => {
      item.run = undefined
    }
  }
  /** What will still happen by itself at the providers: before that the world is not at rest. */
  expected = 0
  /** As `after`, and the world is not at rest before it. */
  expect(ms: number, run: () => void): void {
    this.expected += 1
    this.after(ms, () => {
      this.expected -= 1
      run()
    })
  }
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve))
  }

  /** Runs until nothing is planned or `until` is reached. */
  async run(until: number): Promise<void> {
    for (;;) {
      if (this.#heap[0] === undefined || this.#heap[0].at > until) {
        this.now = Math.max(this.now, until)
        return
      }
      const item = this.#pop()!
      if (item.run === undefined) continue
      this.steps += 1
      if (this.steps > MAX_STEPS) throw new Error(`no rest: ${MAX_STEPS} events`)
      this.now = Math.max(this.now, item.at)
      item.run()
      await settled()
      this.afterStep()
    }
  }

  #push(item: Item): void {
    const heap = this.#heap
    let i = heap.push(item) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(item, heap[parent]!)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = item
  }
  #pop(): Item | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || last === undefined || heap.length === 0) return top
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1
      if (!before(heap[child]!, last)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
    return top
  }
}

const before = (a: Item, b: Item): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

/** Every microtask that an event set off has run before time moves on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
