"""A run's folder: its lock, its manifest, its shards and frames, each under a checksum.

Must not know: what shards and frames mean; where they are computed.
"""
