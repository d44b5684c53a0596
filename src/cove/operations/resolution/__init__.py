"""Resolution: the solver's questions answered from indexes, URLs, folders and repositories."""
