"""The embedded model: a small Llama taught its world from scratch, shipped with its card, rebuilt by one command."""
