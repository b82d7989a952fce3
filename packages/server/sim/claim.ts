// How a judge speaks: a promise holds, or the world ends with what was broken.

export class Broken extends Error {}

export const broken = (what: string): never => {
  throw new Broken(what)
}
export const claim = (holdsTrue: boolean, what: () => string): void => {
  if (!holdsTrue) broken(what())
}
