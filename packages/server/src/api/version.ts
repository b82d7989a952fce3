// The dated version of the API. There is one so far; a request may name the one it was written for, and gets no other.

import type { FastifyReply, FastifyRequest } from "fastify"
import { invalid } from "../core/fault.ts"

export const API_VERSION = "2026-11-22"
export const VERSION_HEADER = "orchestra-version"

export async function checkVersion(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const asked = request.headers[VERSION_HEADER]
  void reply.header(VERSION_HEADER, API_VERSION)
  if (asked !== undefined && asked !== API_VERSION)
    throw invalid(`header/${VERSION_HEADER}`, `is not a version of the API; ${API_VERSION} is`)
}
