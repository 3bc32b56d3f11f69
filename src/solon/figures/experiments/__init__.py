"""The experiments, a file for those that read the same. `figures/catalogue.py` lists them."""
