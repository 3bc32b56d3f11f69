"""Models: loading, saving, scalar heads, and the settings of the machine they run on."""
