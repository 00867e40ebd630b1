"""Pictures and prompts into vectors: the encoder, named models, weights."""
