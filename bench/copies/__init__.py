"""Copy detection measured: edits of any videos, what they really hold, and how much is found."""
