"""Charts that readers steer: one feature, two features, all features at once."""
