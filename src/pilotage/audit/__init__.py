"""The seven questions answered from the data; findings; the build plan."""
