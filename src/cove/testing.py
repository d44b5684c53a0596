"""pytest plugin: the embedded index and small distributions, for tests of whoever uses cove."""
