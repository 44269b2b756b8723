"""The deployment files, checked as text."""
