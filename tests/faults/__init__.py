"""What goes wrong around a scan: each fault of the table in docs/threat-model.md has its test."""
