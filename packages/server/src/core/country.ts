// ISO 3166-1 alpha-2: which countries an address, an issuer or a merchant can be in.

declare const countryBrand: unique symbol

/** An upper-case alpha-2 code that stands in the table below. Only `parseCountry` makes one. */
export type Country = string & { readonly [countryBrand]: true }

// Source: ISO 3166-1, officially assigned codes, state of 2025. XK is not among them: it is the user-assigned code for
// Kosovo that the European Commission, the IMF and the card networks use, and cardholders there have no other.
const codes = `AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW
  BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
  FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO
  JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS
  MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU
  RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA
  UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW XK`

const known: ReadonlySet<string> = new Set(codes.split(/\s+/))

/** The country of an upper-case alpha-2 code, or undefined ("UK" and "gb" are not countries here; "GB" is). */
export function parseCountry(code: string): Country | undefined {
  return known.has(code) ? (code as Country) : undefined
}

/** Every country, in alphabetical order. */
export const countries: readonly Country[] = [...known].sort() as Country[]
