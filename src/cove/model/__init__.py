"""Pure values, the vocabulary of the project: nothing here reads a file, a variable or a socket."""
