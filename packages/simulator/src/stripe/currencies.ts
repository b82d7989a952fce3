// Stripe's own rules about amounts. https://docs.stripe.com/currencies
import { invalid } from "./errors.ts"

const CURRENCIES =
  "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw".split(
    " ",
  )

// oxfmt-ignore
const MINIMUM: Readonly<Record<string, number>> = {
  usd: 50, aed: 200, aud: 50, brl: 50, cad: 50, chf: 50, czk: 1500, dkk: 250, eur: 50, gbp: 30, hkd: 400, huf: 17500,
  inr: 50, jpy: 50, mxn: 1000, myr: 200, nok: 300, nzd: 50, pln: 200, ron: 200, sek: 300, sgd: 50, thb: 1000,
}

const MAXIMUM = 99_999_999
const THREE_DECIMALS: readonly string[] = ["bhd", "jod", "kwd", "omr", "tnd"]
/** Without minor units since long, but still given to Stripe with two. */
const AS_IF_TWO_DECIMALS: readonly string[] = ["isk", "ugx"]

export function readCurrency(text: string): string {
  const currency = text.toLowerCase()
  if (!CURRENCIES.includes(currency))
    throw invalid(
      `Invalid currency: ${currency}. Stripe currently supports these currencies: ${CURRENCIES.join(", ")}`,
      {
        param: "currency",
      },
    )
  return currency
}

export function readAmount(amount: number, currency: string, param = "amount"): bigint {
  if (amount < 1)
    throw invalid("This value must be greater than or equal to 1.", { param, code: "parameter_invalid_integer" })
  if (amount > MAXIMUM) throw invalid("Amount must be no more than $999,999.99", { param, code: "amount_too_large" })
  if (amount < (MINIMUM[currency] ?? 1))
    throw invalid(`Amount must be at least ${MINIMUM[currency]} ${currency}, in its smallest unit`, {
      param,
      code: "amount_too_small",
    })
  if (THREE_DECIMALS.includes(currency) && amount % 10 !== 0)
    throw invalid("Amounts in three-decimal currencies must be rounded to the nearest ten.", { param })
  if (AS_IF_TWO_DECIMALS.includes(currency) && amount % 100 !== 0)
    throw invalid(`Amounts in ${currency} must be divisible by 100.`, { param })
  return BigInt(amount)
}
