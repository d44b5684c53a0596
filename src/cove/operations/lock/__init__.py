"""Locks: made, judged, moved, and what is taken from them."""
