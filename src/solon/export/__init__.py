"""A run handed to other engines: `sets` are its rows, `models` what it trained, `engines` who takes which of them, and
`folder` writes it all. Free of torch."""
