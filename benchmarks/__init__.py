"""How fast and how lean inspector is, as ratios of one run: `python -m benchmarks`, `make bench`.

Each module measures one promise of the README and returns rows of what was measured beside its
bound. These are not timed tests: a busy machine slows both sides of a ratio.
Must not know: how the numbers of inspector come about.
"""
