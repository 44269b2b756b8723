"""A decision made durable before it is answered, brought into the ledger once, and accounted for."""
