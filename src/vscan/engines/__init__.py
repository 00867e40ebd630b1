"""Where the work of a scan runs."""
