"""Real processes that are interrupted, killed or started."""
