// ln Γ(x) for x > 0, by Stirling's series after the argument was raised above ten (Abramowitz and Stegun 6.1.41): to twelve
// digits, which is more than any evidence needs.

const ENOUGH = 10

export function logGamma(x: number): number {
  if (!(x > 0)) throw new RangeError(`ln Γ is asked for ${x}`)
  let low = 0
  let at = x
  while (at < ENOUGH) {
    low += Math.log(at)
    at += 1
  }
  const square = 1 / (at * at)
  const series = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188)))) / at
  return (at - 0.5) * Math.log(at) - at + Math.log(2 * Math.PI) / 2 + series - low
}
