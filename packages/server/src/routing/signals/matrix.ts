// Small dense symmetric matrices, row by row in Float64Arrays: what partial pooling needs, for as many rows as there are
// accounts. Everything is written into arrays that the caller owns, because it runs with every few outcomes.

/** Inverts a symmetric positive definite matrix of `size` rows into `out`, by Cholesky. `work` holds size² numbers. */
export function invert(matrix: Float64Array, size: number, out: Float64Array, work: Float64Array): void {
  factor(matrix, size, work)
  for (let column = 0; column < size; column++) {
    for (let row = 0; row < size; row++) {
      let sum = row === column ? 1 : 0
      for (let k = column; k < row; k++) sum -= work[row * size + k]! * out[k * size + column]!
      out[row * size + column] = row < column ? 0 : sum / work[row * size + row]!
    }
    for (let row = size - 1; row >= 0; row--) {
      let sum = out[row * size + column]!
      for (let k = row + 1; k < size; k++) sum -= work[k * size + row]! * out[k * size + column]!
      out[row * size + column] = sum / work[row * size + row]!
    }
  }
}

/** The lower triangle L with matrix = L·Lᵀ. A pivot that rounding made non-positive is held at a tiny one. */
function factor(matrix: Float64Array, size: number, out: Float64Array): void {
  for (let row = 0; row < size; row++)
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row * size + column]!
      for (let k = 0; k < column; k++) sum -= out[row * size + k]! * out[column * size + k]!
      out[row * size + column] =
        row === column ? Math.sqrt(Math.max(sum, SMALLEST_PIVOT)) : sum / out[column * size + column]!
    }
}
const SMALLEST_PIVOT = 1e-12

/** out = left · right, all of `size` rows. */
export function multiply(left: Float64Array, right: Float64Array, size: number, out: Float64Array): void {
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++) {
      let sum = 0
      for (let k = 0; k < size; k++) sum += left[row * size + k]! * right[k * size + column]!
      out[row * size + column] = sum
    }
}

/** out = matrix · vector. */
export function apply(matrix: Float64Array, vector: Float64Array, size: number, out: Float64Array): void {
  for (let row = 0; row < size; row++) {
    let sum = 0
    for (let k = 0; k < size; k++) sum += matrix[row * size + k]! * vector[k]!
    out[row] = sum
  }
}
