import Testing
@testable import Management
