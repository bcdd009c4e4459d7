"""Arithmetic on arrays: NumPy arrays in, NumPy arrays out; nothing here knows a tensor.

Next room: layout.py, then conv/.
"""
