"""What is known, kept and asked about credentials."""
