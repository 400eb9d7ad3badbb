"""From pages to a website that may be published."""
