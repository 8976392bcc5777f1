"""From features and a model to what people act on: risks, reasons and the list of whom to call."""
