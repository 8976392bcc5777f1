"""What offers did to whom: learned from past treatments, judged on others, and not claimed where it was not seen."""
