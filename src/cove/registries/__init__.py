"""What is known of each registry product, one file each; pure."""
