// Whether some payment could make conditions come out in a certain way: the question behind every check of a policy. Fields are
// taken as independent of each other, each with the classes of values that the conditions tell apart (domain.ts); the search
// tries class after class and leaves a branch as soon as it is decided. So "no payment" is certain, while "some payment" may
// be one whose facts never come together (a six-digit BIN that is not the beginning of the eight digits).

import type { Comparison, Condition } from "./condition.ts"
import { classesOf, FALSE, TRUE, UNKNOWN, type ValueClass } from "./domain.ts"

/** What is asked for, in ordinary logic over "this condition is true", which unknown is not. */
export type Formula =
  | { readonly isTrue: Condition }
  | { readonly not: Formula }
  | { readonly every: readonly Formula[] }
  | { readonly some: readonly Formula[] }

/** What a whole check may cost, in comparisons; counted down. */
export type Budget = { left: number }

/** `undefined`: the budget is used up. */
export function canHold(formula: Formula, budget: Budget): boolean | undefined {
  if (budget.left < 0) return undefined
  try {
    return new Search(formula, budget).solve()
  } catch (error) {
    if (error instanceof UsedUp) return undefined
    throw error
  }
}

class UsedUp extends Error {}

type Axis = { readonly comparisons: Comparison[]; classes: readonly ValueClass[]; chosen: ValueClass | undefined }
type Leaf = { readonly axis: Axis; readonly index: number; possible: number }

const YES = 1
const NO = 2

class Search {
  readonly #formula: Formula
  readonly #budget: Budget
  readonly #axes = new Map<string, Axis>()
  readonly #leaves = new Map<Comparison, Leaf>()

  constructor(formula: Formula, budget: Budget) {
    this.#formula = formula
    this.#budget = budget
    this.#collect(formula)
    for (const [field, axis] of this.#axes)
      axis.classes = classesOf(field, axis.comparisons, (count) => this.#spend(count))
    for (const leaf of this.#leaves.values())
      leaf.possible = leaf.axis.classes.reduce((set, one) => set | one[leaf.index]!, 0)
  }

  solve(): boolean {
    const outcome = this.#formulaNow(this.#formula)
    if (outcome !== (YES | NO)) return outcome === YES
    const axis = this.#undecided(this.#formula)
    if (axis === undefined) return false
    for (const one of axis.classes) {
      axis.chosen = one
      const found = this.solve()
      axis.chosen = undefined
      if (found) return true
    }
    return false
  }

  #spend(count: number): void {
    this.#budget.left -= count
    if (this.#budget.left < 0) throw new UsedUp()
  }

  #collect(formula: Formula): void {
    if ("isTrue" in formula) this.#collectFrom(formula.isTrue)
    else if ("not" in formula) this.#collect(formula.not)
    else for (const one of "every" in formula ? formula.every : formula.some) this.#collect(one)
  }

  #collectFrom(condition: Condition): void {
    if ("not" in condition) this.#collectFrom(condition.not)
    else if ("all" in condition) for (const one of condition.all) this.#collectFrom(one)
    else if ("any" in condition) for (const one of condition.any) this.#collectFrom(one)
    else if (!this.#leaves.has(condition)) {
      this.#spend(1)
      const axis = this.#axes.get(condition.field) ?? { comparisons: [], classes: [], chosen: undefined }
      this.#axes.set(condition.field, axis)
      this.#leaves.set(condition, { axis, index: axis.comparisons.length, possible: 0 })
      axis.comparisons.push(condition)
    }
  }

  /** The answers that are still possible. */
  #formulaNow(formula: Formula): number {
    if ("isTrue" in formula) {
      const truth = this.#truthNow(formula.isTrue)
      return (truth & TRUE ? YES : 0) | (truth & (FALSE | UNKNOWN) ? NO : 0)
    }
    if ("not" in formula) {
      const inner = this.#formulaNow(formula.not)
      return (inner & YES ? NO : 0) | (inner & NO ? YES : 0)
    }
    const every = "every" in formula
    const [settles, leaves] = every ? [NO, YES] : [YES, NO]
    let answers = leaves
    for (const one of every ? formula.every : formula.some) {
      const inner = this.#formulaNow(one)
      if (inner === settles) return settles
      if (inner & settles) answers |= settles
    }
    return answers
  }

  #truthNow(condition: Condition): number {
    this.#spend(1)
    if ("not" in condition) return negated(this.#truthNow(condition.not))
    if ("all" in condition) return this.#conjunctionNow(condition.all, false)
    if ("any" in condition) return negated(this.#conjunctionNow(condition.any, true))
    const { axis, index, possible } = this.#leaves.get(condition)!
    return axis.chosen === undefined ? possible : axis.chosen[index]!
  }

  #conjunctionNow(members: readonly Condition[], negate: boolean): number {
    let canBeTrue = true
    let canBeFalse = false
    let canBeUnknown = false
    let canStand = true
    for (const member of members) {
      const truth = negate ? negated(this.#truthNow(member)) : this.#truthNow(member)
      if (truth === FALSE) return FALSE
      if ((truth & TRUE) === 0) canBeTrue = false
      if (truth & FALSE) canBeFalse = true
      if (truth & UNKNOWN) canBeUnknown = true
      if ((truth & (TRUE | UNKNOWN)) === 0) canStand = false
    }
    return (canBeTrue ? TRUE : 0) | (canBeFalse ? FALSE : 0) | (canBeUnknown && canStand ? UNKNOWN : 0)
  }

  /** The field of the first comparison on which the answer still hangs. */
  #undecided(formula: Formula): Axis | undefined {
    if ("isTrue" in formula) return this.#undecidedIn(formula.isTrue)
    if ("not" in formula) return this.#undecided(formula.not)
    for (const one of "every" in formula ? formula.every : formula.some) {
      if (this.#formulaNow(one) !== (YES | NO)) continue
      const axis = this.#undecided(one)
      if (axis !== undefined) return axis
    }
    return undefined
  }

  #undecidedIn(condition: Condition): Axis | undefined {
    if ("not" in condition) return this.#undecidedIn(condition.not)
    if ("all" in condition || "any" in condition) {
      for (const one of "all" in condition ? condition.all : condition.any) {
        const axis = isDecided(this.#truthNow(one)) ? undefined : this.#undecidedIn(one)
        if (axis !== undefined) return axis
      }
      return undefined
    }
    const { axis, possible } = this.#leaves.get(condition)!
    return axis.chosen === undefined && !isDecided(possible) ? axis : undefined
  }
}

const isDecided = (set: number): boolean => set === TRUE || set === FALSE || set === UNKNOWN

const negated = (set: number): number => (set & TRUE ? FALSE : 0) | (set & FALSE ? TRUE : 0) | (set & UNKNOWN)
