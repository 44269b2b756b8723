"""What answers now, within its time: the serving objects, the threads that score, the service over them."""
