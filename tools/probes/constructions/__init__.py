"""What each construction says, and how: one module a family."""
