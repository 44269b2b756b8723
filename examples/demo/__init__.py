"""Lives one use case with real data: an office that exists, the feature put into it, and some days of both."""
