"""What a profile computes: its job, its shards, the frames made of them.

Must not know: UI; how an observer or a claim computes.
"""
