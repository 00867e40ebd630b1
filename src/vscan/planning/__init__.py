"""What a scan would cost and miss, told before it runs from a few of the very videos."""
