"""The conversation with the caller: events in, commands out. Pure: no I/O, no clock, no transport.

``events`` are what happened (past participle), ``commands`` what the one interpreter in ``calls`` shall do
(imperative), ``machine`` the table of every transition. Source of the rules: GDPR art. 4(11), 7(1), 7(3).
"""
