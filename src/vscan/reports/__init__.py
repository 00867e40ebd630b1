"""Pages for people: self-contained HTML that loads nothing and runs nothing."""
