"""One command a file, loaded on demand."""
