"""The nouns: frozen, keyword-only classes without input, output or data frames."""
