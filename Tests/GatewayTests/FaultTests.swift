import Primitives
import Testing

@testable import Gateway

/// Goal: each switch that puts a classical mistake back does so, and does nothing while it is off.
///
/// Method: a short trial for each, that says whether all went as clients, workers and operators may
/// expect. What the virtual world itself notices beyond that is known.
@Suite struct FaultTests {
  @Test(arguments: Fault.allCases) func eachFaultShows(fault: Fault) {
    #expect(isRight(fault), "without the fault")
    var isRightAllTheSame = true
    withKnownIssue(isIntermittent: true) {
      isRightAllTheSame = Fault.$active.withValue(fault) { isRight(fault) }
    }
    #expect(!isRightAllTheSame, "with the fault")
  }

  /// Goal: tests that run side by side do not see each other's faults.
  @Test func aFaultIsItsTasksAlone() async {
    func on() -> [Fault] { Fault.allCases.filter(\.isOn) }
    #expect(on().isEmpty)
    await Fault.$active.withValue(.leakHold) {
      #expect(on() == [.leakHold])
      await Task.detached { #expect(Fault.active == nil) }.value
    }
    #expect(on().isEmpty)
  }

  private func isRight(_ fault: Fault) -> Bool {
    switch fault {
    case .dropOnFailover, .sendAgainWhatLeft, .forgetHalfWritten:
      FaultTrials.aWorkerIsLostInTheMiddleOfAMessage()
    case .forgetHalfPacket: FaultTrials.aPacketIsCutInItsHead()
    case .countOffered: FaultTrials.packetsAreCountedOnce()
    case .misorderAfterMove: FaultTrials.packetsWaitForALostWorker()
    case .dropHeld: FaultTrials.theIdentityReachesTheWorker()
    case .loseWorkerWakeUp: FaultTrials.aFullWorkerGoesOn()
    case .answerByPlace: FaultTrials.anAnswerComesTooLate()
    case .dropAnswerToHalfClosed: FaultTrials.anEndedClientIsAnswered()
    case .broadcastToOtherPools: FaultTrials.aBroadcastStaysInItsPool()
    case .wrongOffset, .loseClientWakeUp: FaultTrials.aSocketTakesAPart()
    case .unboundedQueue: FaultTrials.aSlowClientIsClosed()
    case .keepHalfAnswer: FaultTrials.aWorkerIsLostInTheMiddleOfAnAnswer()
    case .forgetFlowControlCredit: FaultTrials.aWorkerSendsMoreThanItsWindow()
    case .forgetFrames: FaultTrials.aWorkerIsAskedAgain()
    case .noWaitForEndOfStream: FaultTrials.aDrainedWorkerAnswers()
    case .closedNotSent: FaultTrials.workersHearOfTheEnd()
    case .leakHold: FaultTrials.aHoldingClientGoes()
    case .verdictByPlace: FaultTrials.aVerdictComesTooLate()
    case .forwardBeforeVerdict: FaultTrials.nothingPassesBeforeTheVerdict()
    case .failOpen: FaultTrials.theStoreFails()
    case .leakVerification: FaultTrials.aClientLeavesWhileItIsVerified()
    case .ignoreBanDuringLogin: FaultTrials.aBanComesDuringTheLogin()
    case .ignoreBanOfOpen: FaultTrials.aBanComesForWhoIsIn()
    case .forgetRuleBan: FaultTrials.aRuleBansBeforeTheStore()
    case .leakTimer: FaultTrials.noTimerStays()
    case .forgetHalfCloseTimer: FaultTrials.aHalfClosedClientIsClosed()
    case .keepAddressCount: FaultTrials.anAddressComesAgain()
    case .forgetRate: FaultTrials.aRateHoldsOn()
    case .freeListenerEarly: FaultTrials.aListenerKeepsItsPlace()
    case .loseReturnedPackets, .misorderReturnedPackets: FaultTrials.packetsWaitForAnotherShard()
    case .forgetCloseOfAway: FaultTrials.anOperatorClosesElsewhere()
    case .forgetEndOfAway: FaultTrials.aClientLeavesElsewhere()
    case .broadcastToOwnShard: FaultTrials.aBroadcastReachesOtherShards()
    }
  }
}
