"""Letters and postcards printed and posted by Lob: the channel and the receiver ``lob`` of relationship-core."""
