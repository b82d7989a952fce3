// Chance as a value: a seeded stream for draws, and a stable hash for properties that must not depend on how many
// draws came before (whether a card is stolen does not change because somebody else paid in between).

/** A stream of numbers in [0, 1): sfc32, seeded with any text. Same seed, same stream. */
export function seededRandom(seed: string): () => number {
  let a = hash32(`${seed}:a`)
  let b = hash32(`${seed}:b`)
  let c = hash32(`${seed}:c`)
  let counter = 1
  const next = (): number => {
    const t = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + t
    return (t >>> 0) / 2 ** 32
  }
  for (let i = 0; i < 12; i++) next()
  return next
}

/** The fraction in [0, 1) that belongs to this text for ever. */
export function fractionOf(text: string): number {
  return hash32(text) / 2 ** 32
}

/** Chooses by weight; `at` is a fraction in [0, 1). The weights need not add up to one. */
export function chooseWeighted<T extends { readonly weight: number }>(
  choices: readonly T[],
  at: number,
): T | undefined {
  const total = choices.reduce((sum, choice) => sum + choice.weight, 0)
  let left = at * total
  for (const choice of choices) {
    left -= choice.weight
    if (left < 0) return choice
  }
  return choices.at(-1)
}

/** Letters and digits from a random source, for ids that look like a provider's. */
export function randomText(random: () => number, length: number, alphabet = ALPHANUMERIC): string {
  let text = ""
  for (let i = 0; i < length; i++) text += alphabet[Math.floor(random() * alphabet.length)]
  return text
}

export const ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
export const HEX = "0123456789abcdef"
export const DIGITS = "0123456789"

/** FNV-1a with a final avalanche (murmur3's), so that texts that differ in one digit land far apart. */
function hash32(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
