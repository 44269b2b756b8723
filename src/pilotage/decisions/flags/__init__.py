"""Stage and switch of each use case as feature flags, by the OpenFeature Remote Evaluation Protocol (OFREP)."""
