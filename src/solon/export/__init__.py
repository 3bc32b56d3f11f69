"""A run's data in the forms of other trainers: `sets` are its rows, `trl` a folder of them. Free of torch."""
