let accountImportHelp = """
  Stub.
  """

func importAccounts(_ call: Call) throws -> ExitStatus { .done }
