"""What a lock or an environment has, written for others and shown to people."""
