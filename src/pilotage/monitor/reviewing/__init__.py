"""How well people review: whether they agree, how long they take, what they follow, and what they overlook."""
