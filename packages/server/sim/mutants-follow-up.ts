// Broken engines: what a merchant, a customer or a person asks for afterwards.

import type { Mutant } from "./mutants.ts"

export const followUpMutants: readonly Mutant[] = [
  {
    name: "one's own follow-up not known after a lost commit",
    file: "engine/follow-up.ts",
    find: `operationOf(known, own.id) !== undefined || (command`,
    replace: `(command`,
    quick: false,
  },
  {
    name: "one's own cancel not known after a lost commit",
    file: "engine/follow-up.ts",
    find: `|| (command.type === "cancel" && known.ending?.by === own.id)`,
    replace: ``,
    quick: false,
  },
  {
    name: "a final capture told as one of several",
    file: "engine/follow-up.ts",
    find: `{ ...followUp, final: operation.final }`,
    replace: `{ ...followUp, final: !operation.final }`,
    quick: false,
  },
  {
    name: "a capture at an account that is switched off",
    file: "engine/follow-up.ts",
    find: `if (account.state === "disabled")`,
    replace: `if (account === null)`,
    quick: false,
  },
  {
    name: "a new operation in every try of its commit",
    file: "engine/follow-up.ts",
    find: `const own = newOperation(engine)()
  const now`,
    replace: `const makes = newOperation(engine)
  const own = { get id() { return makes().id }, get key() { return makes().key } } as ReturnType<NewOperation>
  const now`,
    quick: false,
  },
  {
    name: "a person believed whenever he says it",
    file: "engine/operator.ts",
    find: `if (refused !== undefined) return refused
    const acted`,
    replace: `const acted`,
    quick: false,
  },
  {
    name: "a person takes an operation from its owner",
    file: "engine/operator.ts",
    find: `if (operation.state === "sent" && now < (operation.deadline ?? 0))`,
    replace: `if (operation === null)`,
    quick: false,
  },
  {
    name: "a person believed of what is looked at by itself",
    file: "engine/operator.ts",
    find: `if (!operation.needsPerson)
    return`,
    replace: `if (operation === null)
    return`,
    quick: false,
  },
  {
    name: "a person believed of more than was asked for",
    file: "engine/operator.ts",
    find: `if (amount > operation.amount) return`,
    replace: `if (amount < 0n) return`,
    quick: false,
  },
  {
    name: "a person settles what is closed",
    file: "engine/operator.ts",
    find: `const decided = isOpen(found)
      ?`,
    replace: `const decided = found !== null
      ?`,
    quick: false,
  },
]
