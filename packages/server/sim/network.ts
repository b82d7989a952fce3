// The network between our processes and the simulated providers, with all its ways of losing things. It keeps the one
// promise that the real transport keeps: `not_sent` only when nothing was handed over.

import type { Sent, Transport } from "../src/engine/transport.ts"
import type { LabAnswer, LabPsp, LabRequest } from "./lab-psp.ts"
import type { World } from "./world.ts"

export type OnStart = (psp: LabPsp, request: LabRequest) => void

export function labTransport(
  world: World,
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
        const strikes = (probability: number): boolean => !calm() && world.chance(probability)
        const body = JSON.parse(request.body ?? "{}") as LabRequest
        const latency = (): number => 1 + world.random() * weather.latencyMs
        if (strikes(weather.refused)) {
          world.after(latency(), () => resolve({ kind: "not_sent", code: "ECONNREFUSED" }))
          return
        }
        if (strikes(weather.connectHang)) {
          world.after(limits.connectMs, () => resolve({ kind: "not_sent", code: "CONNECT_TIMEOUT" }))
          return
        }
        const connected = latency()
        if (connected > limits.connectMs) {
          world.after(limits.connectMs, () => resolve({ kind: "not_sent", code: "CONNECT_TIMEOUT" }))
          return
        }
        world.after(connected, () => {
          if (world.now > limits.notAfter) {
            resolve({ kind: "not_sent", code: "TOO_LATE" })
            return
          }
          onStart(psp, body)
          const giveUp = Math.max(1, limits.totalMs - connected)
          const cancel = world.after(giveUp, () => resolve({ kind: "sent", code: "TOTAL_TIMEOUT" }))
          const reset = (ms: number): void => {
            if (world.chance(weather.silence)) return
            world.after(ms, () => {
              cancel()
              resolve({ kind: "sent", code: "ECONNRESET" })
            })
          }
          if (strikes(weather.lostBefore)) {
            reset(latency())
            return
          }
          const late = strikes(weather.lateArrival)
          const travel = late ? Math.sqrt(world.random()) * (inFlightMs - latency()) : Math.min(latency(), inFlightMs)
          if (late) reset(latency())
          world.after(Math.max(1, Math.min(travel, inFlightMs - 1)), () => {
            const answer = arrive(psp, body)
            world.say(
              `${psp.profile.id} ${body.do} ${body.about ?? ""} ${body.attempt} key=${body.key} → ${JSON.stringify(answer)}`,
            )
            if (strikes(weather.lostAfter)) {
              reset(latency())
              return
            }
            world.after(latency(), () => {
              cancel()
              resolve({ kind: "answered", response: answer })
            })
          })
          function arrive(
            provider: LabPsp,
            asked: LabRequest,
          ): { status: number; headers: Record<string, string>; body: string } {
            if (strikes(weather.throttled)) return { status: 429, headers: {}, body: "slow down" }
            if (strikes(weather.errorBefore)) return { status: 500, headers: {}, body: "<h1>Oops</h1>" }
            if (strikes(weather.errorAfter)) {
              provider.handle(asked, true)
              return { status: 500, headers: {}, body: "<h1>Oops</h1>" }
            }
            const said: LabAnswer | "error" = provider.handle(asked, false)
            if (said === "error") return { status: 500, headers: {}, body: "<h1>Oops</h1>" }
            return {
              status: 200,
              headers: {},
              body: strikes(weather.garbage) ? JSON.stringify(said).slice(0, 9) : JSON.stringify(said),
            }
          }
        })
      }),
  }
}
