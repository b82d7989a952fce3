// Where an issuer and a merchant are to each other, as far as scheme rules and fees tell places apart. Schemes draw their
// regions differently and publish few of the lines; these are the places for which some source states a rule of its own.

import type { Country } from "./country.ts"

/** `elsewhere`: no source that we read states a rule of its own. */
export type CardRegion = "us" | "canada" | "brazil" | "eea" | "uk" | "elsewhere"

export const cardRegions: Readonly<Record<CardRegion, string>> = {
  us: "United States",
  canada: "Canada",
  brazil: "Brazil",
  eea: "European Economic Area",
  uk: "United Kingdom",
  elsewhere: "elsewhere",
}

/** `inter`: between two regions; what is unknown counts as that, because it is the dearest. */
export type Crossing = "domestic" | "intra" | "inter"

// Source: EEA Agreement (the EU, Iceland, Liechtenstein, Norway) with the outermost regions that belong to the EU; the
// territories of the United States and the Crown Dependencies are acquired as their mainland is [our assumption].
const countriesByRegion: Readonly<Partial<Record<CardRegion, string>>> = {
  us: "US AS GU MP PR UM VI",
  canada: "CA",
  brazil: "BR",
  eea: "AT AX BE BG CY CZ DE DK EE ES FI FR GF GP GR HR HU IE IS IT LI LT LU LV MF MQ MT NL NO PL PT RE RO SE SI SK YT",
  uk: "GB GG IM JE",
}

const regions: ReadonlyMap<string, CardRegion> = new Map(
  Object.entries(countriesByRegion).flatMap(([region, countries]) =>
    countries.split(" ").map((country) => [country, region as CardRegion] as const),
  ),
)

export function cardRegionOf(country: Country): CardRegion {
  return regions.get(country) ?? "elsewhere"
}

/** From the merchant's view. The EEA and the United Kingdom are one region of the schemes; their fees differ all the same. */
export function crossingOf(card: Country | undefined, merchant: Country | undefined): Crossing {
  if (card === undefined || merchant === undefined) return "inter"
  if (card === merchant) return "domestic"
  const schemeRegion = (country: Country): string => {
    const region = cardRegionOf(country)
    return region === "uk" ? "eea" : region
  }
  const region = schemeRegion(card)
  return region !== "elsewhere" && region === schemeRegion(merchant) ? "intra" : "inter"
}
