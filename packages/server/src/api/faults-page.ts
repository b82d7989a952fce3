// /faults: what each code means and what to do, where the `type` of every problem points.

import type { FastifyInstance } from "fastify"
import { faultSections } from "../core/faults-document.ts"

export function faultsPage(app: FastifyInstance): void {
  const html = pageText()
  app.get("/faults", { schema: { hide: true } }, async (_request, reply) =>
    reply
      .header("content-type", "text/html; charset=utf-8")
      .header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
      .send(html),
  )
}

const style = `body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:52rem;padding:0 1rem}
dt{font-family:ui-monospace,monospace;margin-top:1rem}dd{margin:0 0 0 1.5rem}:target{background:#fff7c2}`

function pageText(): string {
  const sections = faultSections().map(({ title, faults }) => {
    const entries = faults.map(
      ({ code, status, title: words, help }) =>
        `<dt id="${code}">${code} · ${status}</dt><dd>${escaped(words)} ${escaped(help)}</dd>`,
    )
    return `<h2>${escaped(title)}</h2><dl>${entries.join("")}</dl>`
  })
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Faults</title><style>${style}</style><h1>Faults</h1>${sections.join("")}</html>`
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("`", "")
