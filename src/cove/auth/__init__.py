"""Who we are, for which realm: providers, chain, layer."""
