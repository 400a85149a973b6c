/// How a simulation went.
package struct Report {
  package var violations: [Violation]

  init(_ simulation: Simulation) { violations = simulation.oracle.violations }
}
