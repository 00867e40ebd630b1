"""What people rule on verdicts: decisions, and the log that keeps them."""
