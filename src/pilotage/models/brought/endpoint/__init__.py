"""A model that answers at an address: how it is asked, what becomes of its silence, and its scorer."""
