"""What is written down about a model: a card for engineers and auditors, and plain words for everybody else."""
