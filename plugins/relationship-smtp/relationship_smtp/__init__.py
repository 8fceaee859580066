"""E-mail by SMTP: the channel ``smtp``, and the receiver ``mailbox`` for what comes back."""
