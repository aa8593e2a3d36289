"""What makes the data that inspector ships; not part of the installed package."""
