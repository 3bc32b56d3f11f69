"""The experiments behind the figures of the Constitutional AI paper (2212.08073), on the testbed.

An experiment names the runs that it needs and says what is to be read from them. `plan` puts the runs of all chosen
experiments together, so that what they share is made once; `work` makes them; each experiment then draws its figure:
panels, and claims that are held against intervals. Nothing here computes with a model.

runs, askings -> tasks -> results -> `Figure` -> picture, data, page
"""
