"""What is wrong with an installation, what could go wrong, and what to do about it.

Rule: looking changes nothing, and nothing that was found is shown but its kind, number and age: no telephone number,
no secret. What cannot be looked at is told as that, and is never taken for right.
"""
