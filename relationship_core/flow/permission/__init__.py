"""Permission: what customers allow and wish, and addresses never to use; recorded, folded, and asked."""
