"""Stands here so that the helpers of this folder are importable from the folders in it."""
