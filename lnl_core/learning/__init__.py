"""What methods share: networks, losses, augmentation, the training engine, features."""
