"""Groups in words, tables and rules: what they are called, what sets them apart, how anybody can find them again."""
