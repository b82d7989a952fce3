// The network between our processes and the simulated providers, with all its ways of losing things. It keeps the one
// promise that the real transport keeps: `not_sent` only when nothing was handed over.

import type { Sent, Transport } from "../src/engine/transport.ts"
import { BREAKS_DECODE, BREAKS_SCRUB } from "./lab-connector.ts"
import { arrivesAfterAll } from "./lab-surprises.ts"
import type { LabAnswer, LabPsp, LabRequest } from "./lab-psp.ts"
import type { World } from "./world.ts"

/** The process at this end: its clock, and whether it stands still. */
export type Sender = {
  now(): number
  stillFor(): number
  /** A request under this key was handed over. */
  started(key: string): void
}

export type OnStart = (psp: LabPsp, request: LabRequest) => void

export function labTransport(
  world: World,
  sender: Sender,
  psps: ReadonlyMap<string, LabPsp>,
  calm: () => boolean,
  onStart: OnStart,
): Transport {
  return {
    close: () => Promise.resolve(),
    send: (origin, request, limits) =>
      new Promise<Sent>((resolve) => {
        const psp = psps.get(origin)
        if (psp === undefined) {
          world.after(5, () => resolve({ kind: "not_sent", code: "ENOTFOUND" }))
          return
        }
        const { weather, inFlightMs } = psp.profile
        const body = JSON.parse(request.body ?? "{}") as LabRequest
        const spared = body.do === "inquire" && weather.sparesQuestions
        const strikes = (probability: number): boolean => !calm() && !spared && world.chance(probability)
        const latency = (): number => 1 + world.random() * weather.latencyMs
        if (strikes(weather.refused)) {
          world.note("request refused to connect")
          world.after(latency(), () => resolve({ kind: "not_sent", code: "ECONNREFUSED" }))
          return
        }
        if (strikes(weather.connectHang)) {
          world.after(limits.connectMs, () => resolve({ kind: "not_sent", code: "CONNECT_TIMEOUT" }))
          return
        }
        // Some connections need all the time they have.
        const last = strikes(weather.slowConnect)
        const connected = last ? limits.connectMs - world.int(0, 20) : latency()
        if (connected > limits.connectMs) {
          world.after(limits.connectMs, () => resolve({ kind: "not_sent", code: "CONNECT_TIMEOUT" }))
          return
        }
        let abandoned = false
        const cancel = world.after(limits.totalMs, () => {
          abandoned = true
          resolve(started ? { kind: "sent", code: "TOTAL_TIMEOUT" } : { kind: "not_sent", code: "TOO_LATE" })
        })
        let started = false
        const start = (): void => {
          if (abandoned) return
          // The process cannot write while it stands still, and looks at its clock when it goes on.
          const still = sender.stillFor()
          if (still > 0) {
            world.after(still, start)
            return
          }
          if (sender.now() > limits.notAfter) {
            world.note("request not started: too late")
            cancel()
            resolve({ kind: "not_sent", code: "TOO_LATE" })
            return
          }
          started = true
          if (limits.notAfter - sender.now() < 50) world.note("request started at the last moment")
          if (body.do !== "inquire") sender.started(body.key)
          onStart(psp, body)
          travel(psp)
        }
        world.after(connected, start)

        function reset(ms: number): void {
          if (world.chance(weather.silence)) return
          world.after(ms, () => {
            cancel()
            resolve({ kind: "sent", code: "ECONNRESET" })
          })
        }
        function travel(provider: LabPsp): void {
          if (strikes(weather.lostBefore)) {
            world.note("request lost on its way")
            arrivesAfterAll(world, provider, body)
            reset(latency())
            return
          }
          const late = strikes(weather.lateArrival)
          const edge = late && world.chance(weather.lastMoment)
          if (late) world.note(edge ? "request arrived at the last moment" : "request arrived late")
          const ms = edge
            ? inFlightMs
            : late
              ? Math.sqrt(world.random()) * (inFlightMs - latency())
              : Math.min(latency(), inFlightMs)
          if (late) reset(latency())
          world.after(Math.max(1, Math.min(ms, inFlightMs)), () => {
            const answer = arrive(provider)
            world.say(
              `${provider.profile.id} ${body.do} ${body.about ?? ""} ${body.attempt} key=${body.key} → ${JSON.stringify(answer)}`,
            )
            if (strikes(weather.lostAfter)) {
              world.note("answer lost")
              reset(latency())
              return
            }
            world.after(latency(), () => {
              cancel()
              resolve({ kind: "answered", response: answer })
            })
          })
        }
        function arrive(provider: LabPsp): { status: number; headers: Record<string, string>; body: string } {
          const failed = { status: 500, headers: {}, body: "<h1>Oops</h1>" }
          if (strikes(weather.throttled)) return { status: 429, headers: {}, body: "slow down" }
          if (strikes(weather.errorBefore)) return failed
          if (strikes(weather.errorAfter)) {
            world.note("answer after a 5xx")
            provider.handle(body, true)
            return world.chance(0.5) ? failed : { ...failed, status: 502 }
          }
          const said: LabAnswer | "error" = provider.handle(body, false)
          if (said === "error") return failed
          const text = JSON.stringify(said)
          if (!strikes(weather.garbage)) return { status: 200, headers: {}, body: text }
          const breaks = world.chance(0.5)
          world.note(breaks ? "answer that breaks the decoder" : "answer that nobody can read")
          return { status: 200, headers: {}, body: breaks ? world.pick(breaking) : text.slice(0, 9) }
        }
      }),
  }
}

/** Bodies on which the lab's decoder or its scrubber throws: an engine must survive both, and know nothing more by it. */
const breaking = [BREAKS_DECODE, BREAKS_SCRUB]
