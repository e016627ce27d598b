"""Training of signd's model: clips, their augmentation, teachers, network, fitting, export."""
