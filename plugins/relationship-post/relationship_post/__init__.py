"""Letters, cards, postcards and address labels as print-ready PDF: the channel ``post`` of relationship-core."""
