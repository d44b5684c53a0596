"""Projects and workspaces: what they are, what they ask for, where that comes from, and changes to them."""
