"""People in the loop: queue, leases, corrections, agreement."""
