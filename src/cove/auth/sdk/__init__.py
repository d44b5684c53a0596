"""Scripts around the libraries of clouds, each run in a process of its own: ``cove.auth.native`` asks them.

Each prints one JSON object: ``token`` with ``expires`` (seconds since 1970, or ISO 8601); ``error`` with ``kind``, a short
name of what is wrong; or ``nothing`` where nobody is logged in by any means the library knows.
"""
