"""Fine-tunes an encoder of transformers to tell categories of text apart."""
