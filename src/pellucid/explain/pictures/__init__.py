"""Pictures of derivations, drawn here: SVG as text, and the same as pixels.

Next room: picture.py, which is what a user holds; then README.md.
"""
