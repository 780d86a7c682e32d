"""What a policy promised for the time after the call: how long recordings are kept, and for what."""
