"""SMS through Twilio, what Twilio reports of it, and what customers answer."""
