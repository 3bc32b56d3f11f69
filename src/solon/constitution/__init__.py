"""What the model is asked to be: principles, documents, and the few-shot examples that go with them."""
