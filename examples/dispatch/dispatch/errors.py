"""What can go wrong in a way the person at the keyboard can mend."""


class DispatchError(Exception):
    """A refusal whose message is one plain sentence: what is wrong and what to run."""
