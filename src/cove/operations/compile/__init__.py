"""The pip commands' inputs, and what they are compiled to."""
