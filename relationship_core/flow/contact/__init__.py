"""Contact: what planning and delivering both ask before a customer is disturbed: goals, policies, and the clock."""
