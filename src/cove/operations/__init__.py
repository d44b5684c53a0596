"""Use cases, the library API: no printing, no argv."""
