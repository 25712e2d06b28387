"""What a reviewer does: the queue, answers, evidence, random checks and what they say."""
