"""A synthetic garage: customers and firms whose lives are planted, so that the truth about them is known."""
