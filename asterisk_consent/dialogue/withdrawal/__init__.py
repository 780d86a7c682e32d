"""The conversation on the withdrawal line: who was recorded calls, enters the receipt of the call, and withdraws.

Pure, as the conversation before a call: events in, commands out, one table in ``machine``. Source of the rules: GDPR
art. 7(3) (withdrawing is as easy as agreeing), 12(2) (it is made easy), 5(1)(f) (nothing is said of others).
"""
