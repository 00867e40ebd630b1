"""Videos into frames, in processes that can be killed."""
