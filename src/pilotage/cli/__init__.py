"""The command-line door: assembles the commands that the rooms hang out."""
