"""Files, environment and flags become settings with origins."""
