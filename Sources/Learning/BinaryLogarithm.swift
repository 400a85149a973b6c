/// The logarithm to base 2 of a positive, finite, normal number; right to about 1e-6.
///
/// The core has no C library to ask. The series of the inverse hyperbolic tangent is taken of the
/// significand: ln m = 2 artanh((m - 1) / (m + 1)) (Abramowitz and Stegun, 4.1.27).
func binaryLogarithm(_ number: Double) -> Double {
  let y = (number.significand - 1) / (number.significand + 1)
  let square = y * y
  let series = 1 + square * (1.0 / 3 + square * (0.2 + square * (1.0 / 7 + square / 9)))
  return Double(number.exponent) + 2 * y * series * 1.442_695_040_888_963_4
}
