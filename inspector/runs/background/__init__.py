"""Runs that nobody waits for: each in a process of its own, its progress and state on the disk.

Whoever opens the folder above them, now or after a restart, sees the same.
Must not know: who asks for a run, how it is shown.
"""
