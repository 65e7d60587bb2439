"""One file for each shape in which agents tell their hooks what they do; payload.py decides which it is."""
