"""From counts to claims: splits, baselines, intervals, lifts, roles, comparisons.

Must not know: attention maps, files, engines.
"""
