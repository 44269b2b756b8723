"""What the scorecard and the ranking say, as pure functions of a dossier."""
