"""Many questions as a job: uploaded, answered in the background, resumed after a crash, fetched as a file."""
