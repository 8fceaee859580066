"""The app: orders, and the relationship of those who order."""
