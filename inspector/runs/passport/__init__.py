"""A run's heads as documents to keep: passports, and an atlas of them.

Figures stand as the frames have them. Must not know: how a figure is computed.
"""
