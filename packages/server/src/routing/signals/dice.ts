// Chance as a value. A pure room has no randomness of its own: whoever asks passes a seed or an id, and the same input
// gives the same dice for ever, so that a decision can be replayed and a split is sticky.

/** A number in [0, 1) from a text (FNV-1a, 32 bit, then Murmur3's finalizer, which spreads neighbouring ids). */
export function diceOf(text: string, salt = 0): number {
  let hash = 0x811c9dc5 ^ salt
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return mix(hash) / 2 ** 32
}

/** A number in [0, 1) from two whole numbers, e.g. a seed and a counter. */
export function diceAt(seed: number, counter: number): number {
  return mix(mix(seed ^ 0x9e3779b9) ^ Math.imul(counter, 0x85ebca6b) ^ Math.floor(counter / 2 ** 32)) / 2 ** 32
}

/** Murmur3's 32-bit finalizer (Appleby, public domain): every bit of the input reaches every bit of the output. */
function mix(value: number): number {
  let hash = value | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
