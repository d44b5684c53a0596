"""Programs that are each installed in an environment of their own."""
