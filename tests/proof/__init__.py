"""The audit held against data whose faults are known."""
