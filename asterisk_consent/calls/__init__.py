"""The only place where dialogue, pbx, ledger and vault meet: one session per call, the recorder, the switchboard."""
