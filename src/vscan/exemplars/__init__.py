"""The exemplar index: known items, their tracks, and FAISS indexes made from them."""
