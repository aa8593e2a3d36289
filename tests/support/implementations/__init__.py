"""A user's own attention, right and wrong."""
