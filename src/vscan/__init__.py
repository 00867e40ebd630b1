"""vscan scans videos against content policies: the public door."""

__version__ = "0.1.0"
