"""One standard or file format a module, both directions; pure."""
