"""Chromium, the dashboard in it, and pages as a reader sees them."""
