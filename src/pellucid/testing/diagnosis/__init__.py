"""How `diagnose` finds the mistake: cases, calls, predictions of every known mistake, a report.

Each known mistake predicts in float64 what a backward pass with it returns; the one whose
predictions are what came back, in every case, is the mistake. Next room: problems.py.
"""
