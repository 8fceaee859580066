"""Record: interactions and customers in; history kept, measures up to date, customers marked for review.

Whatever is recorded twice is kept once. A batch is one transaction: all of it is kept, or nothing.
"""
