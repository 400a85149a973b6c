import Testing
import Upstream

@testable import Gateway

/// Goal: what stands where a link would is never taken for something else.
@Suite struct SessionLinksTests {
  /// Goal: no connection of a worker of another shard looks like a link of this one, like all of
  /// them or like none.
  ///
  /// Method: the largest numbers, and those about where they wrap.
  @Test func remoteLinksAreInTheirRange() {
    let ids: [UInt32] = [1, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x1_ffff, .max]
    let reconnects: [UInt64] = [0, 1, 0x3ffe, 0x3fff, 0x4000, 32_766, 32_767, 65_535, .max]
    for id in ids {
      for count in reconnects {
        let link = Session.remoteLink(of: WorkerID(rawValue: id), reconnects: count)
        #expect(link >= Session.remoteLinks && link <= 0xffff_bfff)
        #expect(link < Session.othersLinks && link < Session.noLink)
      }
    }
  }

  /// Goal: connections of a worker, and workers, are told apart until their numbers wrap.
  @Test func remoteLinksAreToldApart() {
    func link(_ id: UInt32, _ reconnects: UInt64) -> LinkIndex {
      Session.remoteLink(of: WorkerID(rawValue: id), reconnects: reconnects)
    }
    var seen: Set<LinkIndex> = []
    for id in [1, 2, 0x7fff, 0x8000, 0xfffe, 0xffff] as [UInt32] {
      for reconnects in [0, 1, 2, 0x1fff, 0x2000, 0x3fff] as [UInt64] {
        #expect(seen.insert(link(id, reconnects)).inserted)
      }
    }
    #expect(link(5, 7) == link(5 + 0x1_0000, 7))
    #expect(link(5, 7) == link(5, 7 + 0x4000))
  }
}
