"""Pure judgements: figures in, findings and answers out."""
