"""PubGrub: asks by yielding, never fetches; pure."""
