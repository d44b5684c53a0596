"""The only package that imports the HTTP library: messages, layers, one client."""
