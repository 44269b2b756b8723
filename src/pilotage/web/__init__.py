"""The HTTP door: assembles the pages and routes that the rooms hang out."""
