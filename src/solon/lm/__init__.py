"""Language models: two small protocols (write text, score options) and their engines."""
