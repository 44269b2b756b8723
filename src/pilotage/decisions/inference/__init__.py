"""The Open Inference Protocol (V2) over HTTP: a use case is a model, each row of a batch a recorded decision.

Source: the Open Inference Protocol of KServe and Triton, with its binary tensor data extension.
"""
