"""The plain ASGI routes of questions and answers, and what they share."""
