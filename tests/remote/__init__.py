"""Sources behind URIs: emulators, and a server that misbehaves as told."""
