internal import JSON

/// What is sent back for one request.
struct HTTPResponse {
  static let json = "application/json; charset=utf-8"

  var status: UInt32
  var contentType = HTTPResponse.json
  var headers: [(name: String, value: String)] = []
  var body: [UInt8]

  /// A JSON object as the body.
  init(_ status: UInt32, _ members: (inout JSONWriter) -> Void) {
    self.status = status
    body = JSONWriter.object(members) + [UInt8(ascii: "\n")]
  }

  init(_ status: UInt32, contentType: String, body: [UInt8]) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }

  /// `{"error": {"code": …, "message": …}}`.
  ///
  /// - Parameters:
  ///   - detail: further members of the error object.
  ///   - beside: further members of the body.
  static func error(
    _ status: UInt32, _ code: String, _ message: String,
    detail: (inout JSONWriter) -> Void = { _ in }, beside: (inout JSONWriter) -> Void = { _ in }
  ) -> HTTPResponse {
    HTTPResponse(status) { json in
      json.key("error")
      json.object { error in
        error.member("code", code)
        error.member("message", message)
        detail(&error)
      }
      beside(&json)
    }
  }
}
