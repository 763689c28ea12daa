"""What classifiers learn from: labelled images and sentences, read from any usual form."""
