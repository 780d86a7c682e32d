"""Talks to Asterisk: ARI, AMI and FastAGI. Knows nothing of consent."""
