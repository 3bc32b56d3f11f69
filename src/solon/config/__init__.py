"""The run file: a small typed section per stage, each default with its source. Shipped run files are in `configs/`."""
