"""Candidates of one's own: an estimator of scikit-learn that a function makes, fitted and converted in a child."""
