"""Clean months of flights, faults written into them, and what the audit says of each."""
