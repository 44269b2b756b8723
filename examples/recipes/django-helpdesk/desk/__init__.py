"""A Django project that runs django-helpdesk, as its installation guide says."""
