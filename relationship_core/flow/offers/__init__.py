"""Offers: what messages promise, the coupons that they issue, and who takes them up.

A coupon is derived from its message and from what its customer did since, and never stored.
"""
