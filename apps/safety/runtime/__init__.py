"""What serves the gate classifier: numpy and nothing heavier."""
