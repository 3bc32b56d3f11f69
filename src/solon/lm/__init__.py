"""Language models: one small protocol (complete a context, score options) and the engines that keep it."""
