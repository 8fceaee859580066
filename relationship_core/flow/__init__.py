"""The steps, in the order in which data passes: record, review, plan, deliver; report only reads."""
