"""What serves the gate classifier: numpy and nothing heavier.

``teacher`` alone needs more, and only while training.
"""
