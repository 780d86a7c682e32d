"""The key holder: a process of its own user that releases one call's keys, once the access to it is entered.

Rule: of the processes that run all the time it alone can read the identities of the controllers; the one that answers
calls cannot, and has no way to ask (``docs/decisions/keyholder.md``).
"""
