import Testing

/// Goal: the readers of Swift text that the other tests rely on read it rightly.
@Suite struct HelperTests {
  @Test func commentsAndLiteralsAreBlanked() {
    let table: [(source: String, code: String)] = [
      ("a // b\nc", "a     \nc"),
      ("a /* b /* c */ d */ e", "a                   e"),
      ("a /* b\nc */ d", "a     \n     d"),
      (#"f("x") + g"#, #"f(" ") + g"#),
      (#"f("\"}") + g"#, #"f("   ") + g"#),
      (#"f("\\") + g"#, #"f("  ") + g"#),
      (#"f("{\(g("}") + "a")") { h }"#, #"f("                ") { h }"#),
      (##"f(#"\"#) { h }"##, ##"f(#" "#) { h }"##),
      (##"f(#"\#(x) }"#) { h }"##, ##"f(#"       "#) { h }"##),
      ("\"\"\"\n  } \"quoted\"\n  \"\"\" {", "\"\"\"\n            \n  \"\"\" {"),
      ("#if DEBUG\na\n#endif", "#if DEBUG\na\n#endif"),
      (#"case "/": f("//") // "x"#, #"case " ": f("  ")      "#),
    ]
    for (source, code) in table {
      #expect(CodeText(source).text == code, "\(source)")
    }
  }

  @Test func functionsAreMeasuredFromKeywordToBrace() throws {
    let source = """
      struct S {
        init() { self.init(1) }
        @inlinable
        func long(
          a: () -> Void = { }, b: [Int]
        ) -> Int
        where A: B {
          if a { b } else { "}" }
          // }
          return 1
        }
        deinit {
        }
        static func < (a: S, b: S) -> Bool { a }
      }
      protocol P {
        func required() -> Int
        init(a: Int)
        var b: Int { get }
      }
      func last() {
        func inner() {
        }
      }
      """
    let expected: [FunctionLengths.Function] = [
      .init(name: "init", line: 2, lineCount: 1),
      .init(name: "long", line: 4, lineCount: 8),
      .init(name: "deinit", line: 12, lineCount: 2),
      .init(name: "<", line: 14, lineCount: 1),
      .init(name: "last", line: 21, lineCount: 4),
      .init(name: "inner", line: 22, lineCount: 2),
    ]
    #expect(try FunctionLengths.of(source) == expected)
  }
}
