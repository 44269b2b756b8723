"""One question answered in time and recorded: the hot path, batch, the ledger."""
