"""A model directory of MLflow: what it says of itself, read without running anything, and its conversion to ONNX."""
