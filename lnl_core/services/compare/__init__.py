"""What Compare shows: runs side by side, losses, retraining, the noise lab, the report."""
