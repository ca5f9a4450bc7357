"""Fine-tuning the compact encoder: the only part of training that needs torch."""
