"""Records of earlier runs, and the matching of segments between runs."""
