"""Consent to call recording for Asterisk: ask the caller, prove the answer, record only what it allows."""

__version__ = "0.1.0"
