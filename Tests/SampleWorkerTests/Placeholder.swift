import Testing
@testable import SampleWorker
