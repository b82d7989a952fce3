// What a merchant's payments usually come to, per currency: nobody experiments with one that is far above it.

/** An amount is high where it is this many times the usual (geometric mean) one. */
const HIGH_VALUE = 10
const SMALLEST = 0.01
const MEAN_OF = 1_000
/** Currencies that are told apart; beyond it none is ever high. */
const MAX_CURRENCIES = 200

type Known = { seen: number; meanLog: number }

export function createUsualAmount() {
  const known = new Map<string, Known>()
  return {
    isHigh(amount: number, currency: string): boolean {
      const usual = known.get(currency)
      return usual !== undefined && Math.log(Math.max(amount, SMALLEST)) >= usual.meanLog + Math.log(HIGH_VALUE)
    },
    count(amount: number, currency: string): void {
      let usual = known.get(currency)
      if (usual === undefined) {
        if (known.size >= MAX_CURRENCIES) return
        known.set(currency, (usual = { seen: 0, meanLog: 0 }))
      }
      usual.seen += 1
      usual.meanLog += (Math.log(Math.max(amount, SMALLEST)) - usual.meanLog) / Math.min(usual.seen, MEAN_OF)
    },
  }
}
