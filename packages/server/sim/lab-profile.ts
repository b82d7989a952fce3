// What a simulated provider can do, drawn anew for every seed around five shapes: one whose object's id is known before it
// can charge, one that cannot be asked, one that forgets its failures, one that can always be asked, and one that knows
// payments only by an id which its answer or its webhook has to bring.

import type { InquiryStrength, Manifest, OperationSupport } from "../src/connectors/connector.ts"
import type { OperationKind } from "../src/core/payment.ts"
import type { World } from "./world.ts"

export type Weather = {
  /** Probabilities per request. */
  readonly refused: number
  readonly connectHang: number
  /** The connection is there only when its time is nearly up. */
  readonly slowConnect: number
  readonly lostBefore: number
  readonly lateArrival: number
  /** Questions are on their way for no longer than they must. */
  readonly sparesQuestions: boolean
  /** What arrives late takes all the time that it may. */
  readonly lastMoment: number
  readonly lostAfter: number
  readonly errorBefore: number
  readonly errorAfter: number
  readonly garbage: number
  readonly throttled: number
  /** A lost request or answer shows as silence (else as a reset). */
  readonly silence: number
  readonly latencyMs: number
  readonly webhookLost: number
  readonly webhookTwice: number
  readonly webhookDelayMs: number
  readonly hints: number
  readonly forged: number
}

export type Issuer = {
  readonly approve: number
  readonly soft: number
  readonly partial: number
  readonly action: number
  readonly pending: number
  readonly followUpFails: number
  readonly failsLate: number
  readonly rejects: number
  readonly changesItsMind: number
}

export type Profile = {
  readonly id: string
  readonly shape: "prepared" | "unaskable" | "forgetful" | "askable" | "mute"
  readonly replay: OperationSupport["replay"]
  readonly byReference: InquiryStrength
  readonly byAttempt: InquiryStrength
  /** Authorizations may be remembered for a shorter time than the rest. */
  readonly authorizationWindowMs: number
  readonly acceptedFirst: boolean
  readonly prepare: boolean
  readonly reverseByAttempt: boolean
  readonly completion: "call" | "inquiry"
  /** Takes captures and refunds beyond what there is, as some providers do within a tolerance. */
  readonly lenient: boolean
  readonly listenMs: number
  readonly answerMs: number
  readonly inFlightMs: number
  readonly actionMs: number
  readonly authorizationMs: number
  readonly settleWithinMs: number
  readonly reliableWebhooks: boolean
  /** Longest time until a reversal that was accepted is confirmed. */
  readonly reversalMs: number
  /** Turns away follow-ups and reversals between these ages (ms). */
  readonly refuses: { readonly from: number; readonly to: number }
  /** Credentials that go bad and good again: so long out of every so many ms, until this age. */
  readonly lockouts: { readonly everyMs: number; readonly forMs: number; readonly untilMs: number }
  /** How often money that a reversal gave back comes back. */
  readonly reversalFails: number
  /** How often what was lost or refused is done all the same, against the provider's word. */
  readonly surprises: number
  /** How often an authorization runs out before its time. */
  readonly expiresEarly: number
  /** How often somebody does something to a payment at the dashboard. */
  readonly byHand: number
  readonly weather: Weather
  readonly issuer: Issuer
}

const NO_LOCKOUTS = { everyMs: 1, forMs: 0, untilMs: 0 }

export function drawProfile(world: World, index: number, theme: Theme): Profile {
  const typical = shapesOf[theme]
  const shape =
    typical !== undefined && world.chance(0.6)
      ? world.pick(typical)
      : world.pick([
          ...(["prepared", "unaskable", "forgetful", "askable"] as const),
          ...(["prepared", "unaskable", "forgetful", "askable"] as const),
          "mute",
        ] as const)
  const listenMs = world.pick([8_000, 20_000, 65_000])
  const shapes = {
    prepared: {
      replay: { stores: "all", windowMs: world.pick([20_000, 600_000, 86_400_000]) },
      byReference: "strong",
      byAttempt: "none",
      prepare: true,
      reverseByAttempt: false,
    },
    unaskable: {
      replay: { stores: "all", windowMs: 604_800_000 },
      byReference: "none",
      byAttempt: "none",
      prepare: false,
      reverseByAttempt: true,
    },
    forgetful: {
      replay: { stores: "2xx", windowMs: 86_400_000 },
      byReference: "strong",
      byAttempt: { eventualMs: world.pick([2_000, 30_000]) },
      prepare: false,
      reverseByAttempt: false,
    },
    mute: {
      replay: { stores: "none", windowMs: 0 },
      byReference: "strong",
      byAttempt: "none",
      prepare: false,
      reverseByAttempt: false,
    },
    askable: {
      replay: { stores: "none", windowMs: 0 },
      byReference: "strong",
      byAttempt: "strong",
      prepare: false,
      reverseByAttempt: world.chance(0.5),
    },
  } as const
  // Where nobody can ask, the provider's webhooks are the only word there is.
  const tells = shape === "unaskable" || shape === "mute"
  const refusesFrom = world.int(0, 600_000)
  // Every world has its own few misfortunes: where all of them strike, nothing of interest comes about.
  const rough = world.pick([0.15, 0.4, 0.6])
  const bad = (p: number): number => (world.chance(rough) ? world.random() * p : 0)
  const often = (p: number): number => (world.chance(0.5) ? world.random() * p : 0)
  const profile: Profile = {
    id: `lab${index}`,
    shape,
    ...shapes[shape],
    authorizationWindowMs:
      shape === "unaskable" ? world.pick([400, 1_000, 604_800_000]) : shapes[shape].replay.windowMs,
    acceptedFirst: shape === "unaskable" || world.chance(0.4),
    completion: shape === "unaskable" ? "call" : "inquiry",
    lenient: world.chance(0.5),
    listenMs,
    answerMs: world.pick([2_000, 5_000, 10_000]),
    inFlightMs: world.pick([5_000, 120_000, 300_000, 300_000]),
    actionMs: world.pick([60_000, 600_000]),
    authorizationMs: world.pick([3_600_000, 86_400_000]),
    settleWithinMs: world.pick([20_000, 120_000]),
    reliableWebhooks: tells,
    reversalMs: world.pick([20_000, 20_000, 20_000, 21_600_000]),
    refuses: world.chance(0.3)
      ? { from: refusesFrom, to: refusesFrom + world.int(10_000, 3_600_000) }
      : { from: 0, to: 0 },
    lockouts: world.chance(0.2)
      ? { everyMs: world.pick([4_000, 30_000, 300_000]), forMs: world.pick([2_000, 3_000]), untilMs: 1_200_000 }
      : NO_LOCKOUTS,
    reversalFails: often(0.3),
    surprises: often(0.9),
    expiresEarly: often(0.4),
    byHand: world.chance(0.5) ? world.random() * 0.8 : 0,
    weather: {
      refused: bad(0.3),
      connectHang: bad(0.1),
      slowConnect: bad(0.2),
      lostBefore: bad(0.25),
      lateArrival: world.chance(rough + 0.1) ? world.random() * 0.7 : 0,
      lastMoment: 0.3,
      sparesQuestions: false,
      lostAfter: bad(0.3),
      errorBefore: bad(0.2),
      errorAfter: bad(0.25),
      garbage: bad(0.1),
      throttled: bad(0.2),
      silence: world.random(),
      latencyMs: world.pick([20, 200, 2_000]),
      webhookLost: tells ? 0 : bad(1),
      webhookTwice: bad(0.5),
      webhookDelayMs: world.pick([50, 2_000, 60_000]),
      hints: tells ? 0 : bad(0.4),
      forged: bad(0.3),
    },
    issuer: {
      approve: world.pick([0.4, 0.75, 0.95]),
      soft: world.random(),
      partial: often(0.25),
      action: often(0.4),
      pending: often(0.3),
      followUpFails: often(0.3),
      failsLate: often(0.6),
      rejects: often(0.6),
      changesItsMind: world.chance(0.5) ? world.random() : 0,
    },
  }
  return themed(world, profile, theme)
}

/** What a world is about: a bit of everything, or one kind of trouble on otherwise good days. */
const themes = [
  ...(["everything", "everything", "everything", "everything"] as const),
  ...(["overtaking", "stammering", "by webhook", "rounds", "edges", "speechless"] as const),
] as const
export type Theme = (typeof themes)[number]
export const drawTheme = (world: World): Theme => world.pick(themes)

/** Who makes the theme's trouble: whom a reversal can overtake, whom a question can be asked too early, who is not heard. */
const shapesOf: { readonly [K in Theme]?: readonly Profile["shape"][] } = {
  overtaking: ["unaskable"],
  rounds: ["unaskable"],
  edges: ["forgetful", "askable", "prepared"],
  speechless: ["mute", "unaskable"],
}

function themed(world: World, profile: Profile, theme: Theme): Profile {
  const { weather, issuer } = profile
  const good = {
    ...weather,
    refused: 0,
    connectHang: 0,
    lostBefore: 0.05,
    errorBefore: 0,
    garbage: 0,
    throttled: 0,
    forged: 0,
  }
  const willing = { ...issuer, approve: 0.95, pending: 0, rejects: 0, followUpFails: 0.05 }
  switch (theme) {
    case "everything":
      return profile
    case "overtaking":
      // Requests are on their way for minutes, and what is done next is there before them.
      return {
        ...profile,
        reversalMs: 600_000,
        refuses: { from: 0, to: 0 },
        weather: { ...good, lateArrival: 0.6, slowConnect: 0.2, lostAfter: 0.3, webhookDelayMs: 60_000 },
        issuer: { ...willing, action: 0 },
      }
    case "stammering":
      // It does what it is asked, and says that it failed.
      return {
        ...profile,
        weather: { ...good, lateArrival: 0.05, errorAfter: 0.4, lostAfter: 0.2, garbage: 0.25 },
        issuer: { ...willing, action: 0.1 },
      }
    case "by webhook":
      // Customers act, verdicts come later, and much is done at the dashboard.
      return {
        ...profile,
        byHand: 0.6,
        actionMs: 600_000,
        weather: { ...good, lateArrival: 0, webhookLost: profile.reliableWebhooks ? 0 : 0.5 },
        issuer: { ...willing, action: 0.6, pending: 0.3, failsLate: 0.4, changesItsMind: 0.8, approve: 0.7 },
      }
    case "rounds":
      // What is told of one round of a reversal comes while the next ones are under way.
      return {
        ...profile,
        acceptedFirst: true,
        settleWithinMs: 20_000,
        reversalMs: world.pick([20_000, 120_000, 600_000]),
        refuses: { from: 0, to: world.pick([0, 30_000, 300_000]) },
        weather: {
          ...good,
          lostBefore: 0.2,
          lateArrival: 0.5,
          lostAfter: 0.4,
          webhookDelayMs: world.pick([2_000, 120_000]),
        },
        issuer: { ...willing, action: 0, approve: world.pick([0.5, 0.95]) },
      }
    case "edges":
      // Everything takes all the time that it may, to the millisecond.
      return {
        ...profile,
        inFlightMs: world.pick([20_000, 60_000]),
        weather: {
          ...good,
          slowConnect: 0.9,
          lateArrival: 0.7,
          lastMoment: 1,
          sparesQuestions: true,
          lostBefore: 0.1,
          lostAfter: 0.2,
          silence: 0.2,
          latencyMs: 20,
          webhookLost: profile.reliableWebhooks ? 0 : 0.5,
        },
        issuer: { ...willing, action: 0.1 },
      }
    case "speechless":
      // Nobody can be asked, and what would be told is lost: only a person can find out.
      return {
        ...profile,
        reliableWebhooks: false,
        weather: { ...good, webhookLost: 0.6, lostAfter: 0.3, lostBefore: 0.1, errorAfter: 0.1 },
        issuer: { ...willing, action: 0.1 },
      }
    default:
      return theme satisfies never
  }
}

export function manifestOf(profile: Profile): Manifest {
  const support = (acceptedFirst: boolean, byAttempt: InquiryStrength, replay = profile.replay): OperationSupport => ({
    replay,
    inquiry: { byReference: profile.byReference, byAttempt },
    acceptedFirst,
    source: "drawn",
  })
  // Real providers find by our reference only payments: a follow-up is asked about by the payment's own id, or not at all.
  const followUp = support(profile.acceptedFirst, "none")
  const operations: { [K in OperationKind]?: OperationSupport } = {
    authorize: support(false, profile.byAttempt, { ...profile.replay, windowMs: profile.authorizationWindowMs }),
    complete: support(false, profile.byAttempt),
    capture: followUp,
    void: followUp,
    refund: followUp,
    increment: followUp,
    reverse: followUp,
    ...(profile.prepare ? { prepare: support(false, profile.byAttempt) } : {}),
  }
  return {
    id: profile.id,
    name: profile.id,
    website: "https://lab.invalid",
    baseUrl: { live: `https://${profile.id}.invalid`, test: `https://${profile.id}.invalid` },
    api: { version: "1", source: "drawn" },
    credentials: [],
    settings: [],
    operations,
    reverse: {
      byReference: true,
      byAttempt: profile.reverseByAttempt,
      absence: profile.reverseByAttempt ? "proof" : "none",
      source: "drawn",
    },
    completion: profile.completion,
    methods: { card: true, networkToken: true, providerToken: true, networks: ["visa", "mastercard"] },
    currencies: "all",
    exponents: {},
    features: {
      partialCapture: true,
      multipleCaptures: true,
      partialRefund: true,
      multipleRefunds: true,
      zeroAmount: true,
      partialApproval: true,
      externalThreeDs: false,
      merchantInitiated: true,
    },
    limits: {
      listenMs: profile.listenMs,
      answerMs: profile.answerMs,
      inFlightMs: profile.inFlightMs,
      keepAliveMs: 4_000,
      connections: 16,
    },
    authorizationMs: profile.authorizationMs,
    actionMs: profile.actionMs,
    webhooks: { settleWithinMs: profile.settleWithinMs, source: "drawn" },
  }
}
