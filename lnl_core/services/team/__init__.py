"""What several people do together: who may do what, where they contradict each other."""
