"""Recordings at rest: checked, joined, kept, shown and handed out."""
