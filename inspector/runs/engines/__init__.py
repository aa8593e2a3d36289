"""Where shards are computed: this process, several, or a Ray cluster. The result is the same.

Must not know: what a shard computes.
"""
