"""Other people's engines, each as a `LanguageModel`, so that one and the same code does the work with all of them."""
