"""What a run shows at its end: a table on the screen, and one self-contained HTML file."""
