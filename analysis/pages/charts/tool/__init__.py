"""Charts about the tool itself: trials on customers whose groups are known, and its speed."""
