"""Money, clock, ids, errors and database pieces: knows nothing of the business."""
