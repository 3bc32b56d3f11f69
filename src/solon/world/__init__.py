"""A small world whose ground truth is known: situations, requests, faults and answers, and an oracle that reads them.

A leaf of the package, free of torch. Nothing in `feedback` or `train` may import it.
"""
