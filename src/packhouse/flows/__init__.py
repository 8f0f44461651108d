"""One file for each thing a person can do; the product's table of contents.

A flow joins rooms, opens the one transaction there is, and says its lock order at the top.
"""
