"""Programs that run in a child process of their own: ``python -m … FOLDER`` reads a task there and leaves an answer."""
