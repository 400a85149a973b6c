internal import Commands
internal import Glibc

exit(
  run(
    CommandLine.arguments,
    GatewayPrograms(
      serve: { serve(configurationPath: $0) }, check: { check(configurationPath: $0) },
      demo: { demo() })))
