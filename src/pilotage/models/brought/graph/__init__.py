"""A graph of ONNX: how columns become its inputs, how its outputs become answers, and the checks before it is taken."""
