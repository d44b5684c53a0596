"""What indexes have, and why something is taken from one of them."""
