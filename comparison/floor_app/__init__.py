"""The floor: the same answers from the bare driver, one thread hop and no ORM.

No app with an ORM can be faster, so the gap to this one is what an ORM costs.
"""
