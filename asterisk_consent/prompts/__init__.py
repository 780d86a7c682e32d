"""Announcement texts, the audio rendered from them, and the proof of what was played."""
