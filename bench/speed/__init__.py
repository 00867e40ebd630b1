"""Speed measured: scans against what else could be run, and against what the machine allows."""
