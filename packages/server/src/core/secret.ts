// A value that must not leave the process by accident: it hides itself from JSON, string building, inspection and
// structured logs. CVC, card numbers in flight, cryptograms and credentials travel only inside it.

const inspect = Symbol.for("nodejs.util.inspect.custom")

export class Secret<T> {
  readonly #value: T
  constructor(value: T) {
    this.#value = value
  }
  /** The only way out; every use is a place to look at in a review. */
  reveal(): T {
    return this.#value
  }
  toJSON(): string {
    return "[secret]"
  }
  toString(): string {
    return "[secret]"
  }
  [inspect](): string {
    return "[secret]"
  }
}

export const secret = <T>(value: T): Secret<T> => new Secret(value)
