"""Commands about ranks: the partner that follows a person, and how ranks are measured."""
