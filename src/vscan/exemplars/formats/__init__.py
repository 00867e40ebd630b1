"""The field's interchange formats, one file each: bytes to hash records and back."""
